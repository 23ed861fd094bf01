import type { Envelope } from '@hotline/protocol/event'
import { asKnown } from '@hotline/protocol/known-event'
import { limits } from '@hotline/protocol/limits'
import { splitStream } from '@hotline/protocol/stream'
import type { AccountState } from './state.ts'

/** The fold of a person's own stream. */
export function evolveAccount(state: AccountState | undefined, event: Envelope): AccountState | undefined {
  const known = asKnown(event)
  const before = state ?? { kind: 'account', account: splitStream(event.stream).id, snoozed: [] }
  if (known?.type === 'account.begun') return { ...before, readSince: known.at }
  if (known?.type === 'read.marked') {
    const { project, session, seq, messages } = known.data
    const marked = { ...before, readSince: before.readSince ?? known.at }
    const read = [...(before.read ?? []).filter((one) => one.session !== session), { project, session, seq, messages }]
    if (read.length <= limits.readMarks) return { ...marked, read }
    // What is forgotten does not count as never opened: nothing that began before now does.
    return { ...marked, readSince: known.at, read: read.slice(-limits.readMarks) }
  }
  if (known?.type === 'ask.snoozed') {
    const { project, session, ask, until } = known.data
    const others = before.snoozed.filter((one) => one.until > known.at && (one.session !== session || one.ask !== ask))
    return { ...before, snoozed: [...others, { project, session, ask, until }] }
  }
  if (known?.type === 'ask.unsnoozed') {
    const { session, ask } = known.data
    return { ...before, snoozed: before.snoozed.filter((one) => one.session !== session || one.ask !== ask) }
  }
  return state
}
