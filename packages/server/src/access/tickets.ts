import type { Ids } from '../machine/ids.ts'
import type { Clock } from '../machine/clock.ts'
import { mintToken, parseToken } from './token.ts'

/** For so long a ticket opens a socket. */
const ticketMs = 30_000
/** Tickets that may be open on the whole server, and for one key. */
const openMax = 10_000
const openMaxOfKey = 50

interface Open {
  key: string
  origin: string | undefined
  endsMs: number
}

/**
 * Tickets for WebSockets: a browser fetches one with its cookie and says it in the first frame, so that a cookie alone
 * never opens a socket. Each works once, for the key and the origin it was made for. They live in memory: after a restart
 * a page asks again.
 */
export class Tickets {
  readonly #clock: Clock
  readonly #ids: Ids
  readonly #open = new Map<string, Open>()

  constructor(clock: Clock, ids: Ids) {
    this.#clock = clock
    this.#ids = ids
  }

  /** A new ticket, or undefined where this key (or everybody) has too many open. */
  issue(key: string, origin: string | undefined): { ticket: string; expiresAt: string } | undefined {
    this.#sweep()
    const mine = [...this.#open.values()].filter((open) => open.key === key).length
    if (this.#open.size >= openMax || mine >= openMaxOfKey) return undefined
    const { text, hash } = mintToken('wst', this.#ids.uuid())
    this.#open.set(hash, { key, origin, endsMs: this.#clock.monotonicMs() + ticketMs })
    return { ticket: text, expiresAt: new Date(this.#clock.wallMs() + ticketMs).toISOString() }
  }

  /** Uses a ticket up; the key it stands for, or undefined. A ticket shown with another origin is used up too. */
  redeem(ticket: string, origin: string | undefined): string | undefined {
    const token = parseToken(ticket)
    const open = token ? this.#open.get(token.hash) : undefined
    if (!token || !open) return undefined
    this.#open.delete(token.hash)
    return open.origin === origin && this.#clock.monotonicMs() < open.endsMs ? open.key : undefined
  }

  /** All live equally long, so the oldest stand first. */
  #sweep(): void {
    const now = this.#clock.monotonicMs()
    for (const [hash, open] of this.#open) {
      if (open.endsMs > now) return
      this.#open.delete(hash)
    }
  }
}
