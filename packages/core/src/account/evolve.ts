import type { Envelope } from '@hotline/protocol/event'
import { asKnown } from '@hotline/protocol/known-event'
import { splitStream } from '@hotline/protocol/stream'
import type { AccountState } from './state.ts'

/** The fold of a person's own stream. */
export function evolveAccount(state: AccountState | undefined, event: Envelope): AccountState | undefined {
  const known = asKnown(event)
  const before = state ?? { kind: 'account', account: splitStream(event.stream).id, snoozed: [] }
  if (known?.type === 'account.begun') return before
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
