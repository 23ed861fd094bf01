import { readFileSync, writeFileSync } from 'node:fs'
import type { Clock } from '../machine/clock.ts'

/** Less than this is a busy moment, or a restart, and nobody's absence. */
const awayMinMs = 60_000

/**
 * How long this server was away: its machine slept, its clock was set forward, or it did not run. It writes down now and then
 * that it is there; what lies between two such moments and is too long was no time in which anybody could have done anything.
 */
export class AwakeWatch {
  readonly #file: string
  readonly #clock: Clock
  #seenMs: number

  constructor(file: string, clock: Clock) {
    this.#file = file
    this.#clock = clock
    this.#seenMs = readLast(file) ?? clock.wallMs()
  }

  /** It was away, and nobody has looked since. */
  get isBehind(): boolean {
    return this.#clock.wallMs() - this.#seenMs >= awayMinMs
  }

  /** Milliseconds that it was away since the last look; 0 where it was there. To be called every few seconds. */
  look(): number {
    const now = this.#clock.wallMs()
    const gapMs = now - this.#seenMs
    this.#seenMs = now
    try {
      writeFileSync(this.#file, `${now}\n`, { mode: 0o600 })
    } catch {
      // Without it only what this process itself has slept through is known.
    }
    return gapMs >= awayMinMs ? gapMs : 0
  }
}

function readLast(file: string): number | undefined {
  try {
    const ms = Number(readFileSync(file, 'utf8'))
    return Number.isSafeInteger(ms) && ms > 0 ? ms : undefined
  } catch {
    return undefined
  }
}
