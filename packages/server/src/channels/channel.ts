import type { Ending } from '../http/permissions/ending-message.ts'
import type { Unsent } from '../http/permissions/request-message.ts'
import type { Posted } from '../machine/post-webhook.ts'

/** A request that people are to be shown, with the members that `permissions.v1` has. */
export interface Card {
  /** The same at every try, and after a restart: whoever gets it twice knows it again. */
  key: string
  request: Unsent<'permission-request'>
}

/** A request that nobody has to look at any more. */
export interface Withdrawal {
  key: string
  ending: Ending
  /** For people: `Allowed by dana in the browser`. */
  words: string
}

/** What became of a try: taken; not now, so that it is tried again; or never, whatever is done. */
export type Delivered = Posted

/**
 * A way out to people who are not here. It may be told the same more than once and says nothing twice: the key tells. It never
 * rejects, ends what it does when the signal says so, and keeps nothing: what was shown where is in the outbox.
 */
export interface Channel {
  /** Its kind and its name, as the audit names it: `webhook:ops`. */
  readonly name: string
  /** Where it leads, for admins: no secret is in it. */
  readonly target: string
  deliver(card: Card, signal: AbortSignal): Promise<Delivered>
  withdraw(withdrawal: Withdrawal, signal: AbortSignal): Promise<Delivered>
}
