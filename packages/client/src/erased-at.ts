import type { Envelope } from '@hotline/protocol/event'
import { asKnown } from '@hotline/protocol/known-event'
import { outputTypes } from '@hotline/protocol/output-types'

const types: ReadonlySet<string> = outputTypes

/** Where the last of these events is that says that all before it is erased; -1 where there is none. */
export function erasedAt(events: readonly Envelope[]): number {
  return events.findLastIndex((event) => {
    const known = asKnown(event)
    return known?.type === 'content.erased' && known.data.subject === undefined && known.data.kind === undefined
  })
}

/** These events without the output that one of them says is erased; the same where none does. */
export function withoutErasedOutput(events: readonly Envelope[]): readonly Envelope[] {
  const at = events.findLastIndex((event) => {
    const known = asKnown(event)
    return known?.type === 'content.erased' && known.data.kind === 'output'
  })
  if (at < 0) return events
  return events.map((event, place) => {
    if (place > at || !types.has(event.type)) return event
    const { body: _, ...rest } = event
    return rest
  })
}
