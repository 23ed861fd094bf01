import type { Envelope } from '@hotline/protocol/event'
import { asKnown } from '@hotline/protocol/known-event'
import { limits } from '@hotline/protocol/limits'
import { splitStream } from '@hotline/protocol/stream'
import type { ReadMark } from './read-mark.ts'
import type { AccountState } from './state.ts'

/** The fold of a person's own stream. */
export function evolveAccount(state: AccountState | undefined, event: Envelope): AccountState | undefined {
  const known = asKnown(event)
  const before = state ?? { kind: 'account', account: splitStream(event.stream).id, snoozed: [] }
  if (known?.type === 'account.begun') return { ...before, readSince: known.at }
  if (known?.type === 'read.marked') {
    const { project, session, seq, messages, createdAt } = known.data
    const others = (before.read ?? []).filter((one) => one.session !== session)
    const mark: ReadMark = { project, session, seq, messages, ...(createdAt === undefined ? {} : { createdAt }) }
    const readSince = before.readSince ?? known.at
    if (others.length < limits.readMarks) return { ...before, readSince, read: [...others, mark] }
    // What is forgotten does not count as never opened: nothing that began before it does. The oldest one takes the least along.
    const oldest = others.reduce((one, two) => (beganAt(two, known.at) < beganAt(one, known.at) ? two : one))
    const forgotten = beganAt(oldest, known.at)
    return {
      ...before,
      readSince: forgotten > readSince ? forgotten : readSince,
      read: [...others.filter((one) => one !== oldest), mark],
    }
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

/** Where nobody knows, it may have been until now. */
function beganAt({ createdAt }: ReadMark, now: string): string {
  return createdAt ?? now
}
