import type { Clock } from './clock.ts'

/** Taken, or in how many milliseconds there is as much. */
type Taken = { ok: true } | { ok: false; retryAfterMs: number }

const taken: Taken = { ok: true }

/** So much at once, and so much more in each second: a token bucket that fills by time. */
export class Allowance {
  readonly #burst: number
  readonly #perSecond: number
  readonly #clock: Clock
  #left: number
  #atMs: number

  constructor(burst: number, perSecond: number, clock: Clock) {
    this.#burst = burst
    this.#perSecond = perSecond
    this.#clock = clock
    this.#left = burst
    this.#atMs = clock.monotonicMs()
  }

  take(cost = 1): Taken {
    const now = this.#clock.monotonicMs()
    this.#left = Math.min(this.#burst, this.#left + ((now - this.#atMs) / 1_000) * this.#perSecond)
    this.#atMs = now
    if (this.#left < cost)
      return { ok: false, retryAfterMs: Math.ceil(((cost - this.#left) / this.#perSecond) * 1_000) }
    this.#left -= cost
    return taken
  }
}
