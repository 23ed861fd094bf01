import { RateLimiterMemory } from 'rate-limiter-flexible'

/** How many tries there are; the settings of the same names. */
export interface SignInLimitOptions {
  signInTriesPerAccount: number
  signInTriesPerNetwork: number
  signInLockSeconds: number
}

/** Tries per second over all names and networks: keeps the number of counters in memory bounded as well. */
const triesPerSecond = 50
/** The longest pause between two tries before the lock. */
const pauseMaxSeconds = 30

/**
 * Counts tries to sign in, before any password is looked at: for the name that was given (whether it exists or not), for
 * the network they come from, and over all. Half of the tries of a name are free; then each has to wait twice as long as
 * the one before; after the last one the name is locked for a while. A success forgets the name's count.
 */
export class SignInLimits {
  readonly #options: SignInLimitOptions
  readonly #all: RateLimiterMemory
  readonly #network: RateLimiterMemory
  readonly #name: RateLimiterMemory
  readonly #pause: RateLimiterMemory
  readonly #locked: RateLimiterMemory

  constructor(options: SignInLimitOptions) {
    const { signInTriesPerAccount, signInTriesPerNetwork, signInLockSeconds } = options
    this.#options = options
    this.#all = new RateLimiterMemory({ points: Math.max(triesPerSecond, signInTriesPerNetwork), duration: 1 })
    this.#network = new RateLimiterMemory({ points: signInTriesPerNetwork, duration: signInLockSeconds })
    this.#name = new RateLimiterMemory({ points: signInTriesPerAccount, duration: signInLockSeconds })
    this.#pause = new RateLimiterMemory({ points: 1, duration: 1 })
    this.#locked = new RateLimiterMemory({ points: 1, duration: signInLockSeconds })
  }

  /** Takes one try. `waitMs`: this one is refused, come back then. */
  async take(name: string, network: string): Promise<{ ok: true } | { ok: false; waitMs: number }> {
    const paused = await this.#pause.get(name)
    if (paused !== null && paused.consumedPoints > 1) return { ok: false, waitMs: waitOf(paused) }
    for (const [limiter, key] of [
      [this.#all, 'all'],
      [this.#network, network],
      [this.#name, name],
    ] as const) {
      const waitMs = await consume(limiter, key)
      if (waitMs !== undefined) return { ok: false, waitMs }
    }
    return { ok: true }
  }

  /** A wrong password. Answers how long the name is locked, when this try has locked it. */
  async failed(name: string): Promise<{ lockedMs: number } | undefined> {
    const { signInTriesPerAccount: tries, signInLockSeconds } = this.#options
    const count = (await this.#name.get(name))?.consumedPoints ?? 0
    if (count >= tries) {
      // Tries that ran at the same time all come here; one of them locks.
      if ((await consume(this.#locked, name)) !== undefined) return undefined
      await this.#name.block(name, signInLockSeconds)
      return { lockedMs: signInLockSeconds * 1_000 }
    }
    const free = Math.ceil(tries / 2)
    if (count >= free) await this.#pause.block(name, Math.min(pauseMaxSeconds, 2 ** (count - free)))
    return undefined
  }

  /** The right password. */
  async succeeded(name: string, network: string): Promise<void> {
    await this.#name.delete(name)
    await this.#pause.delete(name)
    await this.#network.reward(network)
  }

  /** A try for which there is no name, such as a bootstrap code. */
  async takeFrom(network: string): Promise<{ ok: true } | { ok: false; waitMs: number }> {
    const waitMs = (await consume(this.#all, 'all')) ?? (await consume(this.#network, network))
    return waitMs === undefined ? { ok: true } : { ok: false, waitMs }
  }
}

/** Milliseconds to wait where nothing is left; undefined where a point was taken. */
export async function consume(limiter: RateLimiterMemory, key: string): Promise<number | undefined> {
  try {
    await limiter.consume(key)
    return undefined
  } catch (refusal) {
    // The library rejects with its result, and with an Error only for faults.
    if (refusal instanceof Error) throw refusal
    return waitOf(refusal as { msBeforeNext: number })
  }
}

function waitOf(result: { msBeforeNext: number }): number {
  return Math.max(1, Math.ceil(result.msBeforeNext))
}
