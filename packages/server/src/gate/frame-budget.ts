import type { Clock } from '../machine/clock.ts'

/** What a connection may send in one second, and in one burst. */
const framesPerSecond = 200
const framesBurst = 400

/** How many frames one connection may still send: a token bucket that fills by time. */
export class FrameBudget {
  readonly #clock: Clock
  #frames = framesBurst
  #at: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#at = clock.monotonicMs()
  }

  /** Takes the cost of one frame, in frames. False where that is more than what is left. */
  spend(cost: number): boolean {
    const now = this.#clock.monotonicMs()
    this.#frames = Math.min(framesBurst, this.#frames + ((now - this.#at) / 1_000) * framesPerSecond)
    this.#at = now
    this.#frames -= cost
    return this.#frames >= 0
  }
}
