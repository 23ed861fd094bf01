import type { Clock } from '../machine/clock.ts'

/** Failures in a row after which a channel is left alone. */
const failuresMax = 5
/** For how long at first; twice as long each time that it fails again. */
const restMs = 30_000
const restMaxMs = 10 * 60_000

/**
 * Keeps a channel that fails from being called again and again:
 *
 *   closed → (five failures in a row) → open → (its time is over) → half open → (one try) → closed, or open for twice as long
 */
export class CircuitBreaker {
  readonly #clock: Clock
  readonly #random: () => number
  #failures = 0
  /** How often it opened since it worked last. */
  #opened = 0
  #untilMs = 0
  #isTrying = false

  /** `random`: from 0 up to 1. */
  constructor(clock: Clock, random: () => number) {
    this.#clock = clock
    this.#random = random
  }

  get state(): 'closed' | 'open' | 'half_open' {
    if (this.#opened === 0) return 'closed'
    return this.#isTrying || this.waitMs <= 0 ? 'half_open' : 'open'
  }

  get failures(): number {
    return this.#failures
  }

  /** Until it may be tried again; 0 where it may. */
  get waitMs(): number {
    return this.#opened === 0 ? 0 : Math.max(0, this.#untilMs - this.#clock.monotonicMs())
  }

  /** A delivery is tried now, where `waitMs` allows it. */
  begin(): void {
    this.#isTrying = this.#opened > 0
  }

  /** True where it had been open. */
  succeeded(): boolean {
    const wasOpen = this.#opened > 0
    this.#failures = 0
    this.#opened = 0
    this.#isTrying = false
    return wasOpen
  }

  /** True where it opened just now, after having been closed. */
  failed(): boolean {
    this.#failures += 1
    const wasTrying = this.#isTrying
    this.#isTrying = false
    if (!wasTrying && (this.#opened > 0 || this.#failures < failuresMax)) return false
    this.#opened += 1
    const rest = Math.min(restMaxMs, restMs * 2 ** (this.#opened - 1))
    // Not all at the same moment, where several channels lead to one place.
    this.#untilMs = this.#clock.monotonicMs() + rest * (0.8 + 0.4 * this.#random())
    return this.#opened === 1
  }
}
