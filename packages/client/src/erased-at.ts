import type { Envelope } from '@hotline/protocol/event'
import { asKnown } from '@hotline/protocol/known-event'

/** Where the last of these events is that says that all before it is erased, or all output; -1 where there is none. */
export function erasedAt(events: readonly Envelope[]): number {
  return events.findLastIndex((event) => {
    const known = asKnown(event)
    return known?.type === 'content.erased' && known.data.subject === undefined
  })
}
