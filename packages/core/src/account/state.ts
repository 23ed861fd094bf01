import type { Snooze } from '@hotline/protocol/asks'
import type { ReadMark } from './read-mark.ts'

/** What the rules know of what a person has settled for themselves alone. */
export interface AccountState {
  kind: 'account'
  account: string
  /** In the order in which they were put aside. Some may be over: what is over is forgotten with the next one. */
  snoozed: readonly Snooze[]
  /** How far sessions were read, the one that was read last at the end; absent where none was. */
  read?: readonly ReadMark[] | undefined
  /** Sessions that began later and have no mark were never opened, RFC 3339, UTC. */
  readSince?: string | undefined
}

/** One that is put aside now; undefined where none is, or where it has come back. */
export function snoozeOf(
  state: AccountState | undefined,
  { session, ask }: Pick<Snooze, 'session' | 'ask'>,
  now: string,
): Snooze | undefined {
  return state?.snoozed.find((one) => one.session === session && one.ask === ask && one.until > now)
}
