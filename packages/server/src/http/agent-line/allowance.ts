import type { Clock } from '../../machine/clock.ts'

/** So many at once, and so many more in each second. */
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

  /** Takes one; otherwise says in how many milliseconds there is another one. */
  take(): { ok: true } | { ok: false; retryAfterMs: number } {
    const now = this.#clock.monotonicMs()
    this.#left = Math.min(this.#burst, this.#left + ((now - this.#atMs) / 1_000) * this.#perSecond)
    this.#atMs = now
    if (this.#left < 1) return { ok: false, retryAfterMs: Math.ceil(((1 - this.#left) / this.#perSecond) * 1_000) }
    this.#left -= 1
    return { ok: true }
  }
}
