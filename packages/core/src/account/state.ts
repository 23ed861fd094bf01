import type { Snooze } from '@hotline/protocol/asks'

/** What the rules know of what a person has settled for themselves alone. */
export interface AccountState {
  kind: 'account'
  account: string
  /** In the order in which they were put aside. Some may be over: what is over is forgotten with the next one. */
  snoozed: readonly Snooze[]
}

/** One that is put aside now; undefined where none is, or where it has come back. */
export function snoozeOf(
  state: AccountState | undefined,
  { session, ask }: Pick<Snooze, 'session' | 'ask'>,
  now: string,
): Snooze | undefined {
  return state?.snoozed.find((one) => one.session === session && one.ask === ask && one.until > now)
}
