import { RateLimiterMemory } from 'rate-limiter-flexible'

/** How many tries there are; the settings of the same names. */
export interface SignInLimitOptions {
  signInTriesPerAccount: number
  signInTriesPerNetwork: number
  signInLockSeconds: number
}

/** A try that may be made, and under what it was counted; or how long to wait. */
export type Taken = { ok: true; bucket: string } | { ok: false; waitMs: number }

/** Tries per second over all names and networks: keeps the number of counters in memory bounded as well. */
const triesPerSecond = 50
/** The longest pause between two tries before the lock. */
const pauseMaxSeconds = 30
/** Names whose people were here lately, and networks of each; the oldest are forgotten. */
const familiarNames = 10_000
const familiarNetworks = 5

/**
 * Counts tries to sign in, before any password is looked at: for the name that was given (whether it exists or not), for
 * the network they come from, and over all. Half of the tries of a name are free; then each has to wait twice as long as
 * the one before; after the last one the name is locked for a while. A success forgets the name's count.
 *
 * A name is counted by itself for each network that its person is known to come from: whoever guesses from elsewhere
 * locks it for elsewhere, and can go on doing so, but never keeps the person out of where they are.
 */
export class SignInLimits {
  readonly #options: SignInLimitOptions
  readonly #all: RateLimiterMemory
  readonly #network: RateLimiterMemory
  readonly #name: RateLimiterMemory
  readonly #pause: RateLimiterMemory
  readonly #locked: RateLimiterMemory
  readonly #familiar = new Map<string, readonly string[]>()

  constructor(options: SignInLimitOptions) {
    const { signInTriesPerAccount, signInTriesPerNetwork, signInLockSeconds } = options
    this.#options = options
    this.#all = new RateLimiterMemory({ points: Math.max(triesPerSecond, signInTriesPerNetwork), duration: 1 })
    this.#network = new RateLimiterMemory({ points: signInTriesPerNetwork, duration: signInLockSeconds })
    this.#name = new RateLimiterMemory({ points: signInTriesPerAccount, duration: signInLockSeconds })
    this.#pause = new RateLimiterMemory({ points: 1, duration: 1 })
    this.#locked = new RateLimiterMemory({ points: 1, duration: signInLockSeconds })
  }

  /** Under what tries for a name from a network are counted. */
  bucketOf(name: string, network: string, place: 'known' | 'strange'): string {
    const isFamiliar = place === 'known' || this.#familiar.get(name)?.includes(network)
    return isFamiliar ? `${name} ${network}` : name
  }

  /**
   * Takes one try; `bucketOf` is asked only where the network has not tried too often. `waitMs`: this one is refused, come
   * back then.
   */
  async take(network: string, bucketOf: () => Promise<string>): Promise<Taken> {
    const waitMs = (await consume(this.#all, 'all')) ?? (await consume(this.#network, network))
    if (waitMs !== undefined) return { ok: false, waitMs }
    const bucket = await bucketOf()
    const paused = await this.#pause.get(bucket)
    if (paused !== null && paused.consumedPoints > 1) {
      // Who has to wait and does not know it is not held against the network.
      await this.#network.reward(network)
      return { ok: false, waitMs: waitOf(paused) }
    }
    const lockedMs = await consume(this.#name, bucket)
    return lockedMs === undefined ? { ok: true, bucket } : { ok: false, waitMs: lockedMs }
  }

  /** A wrong password. Answers how long it is locked, when this try has locked it. */
  async failed(bucket: string): Promise<{ lockedMs: number } | undefined> {
    const { signInTriesPerAccount: tries, signInLockSeconds } = this.#options
    const count = (await this.#name.get(bucket))?.consumedPoints ?? 0
    if (count >= tries) {
      // Tries that ran at the same time all come here; one of them locks.
      if ((await consume(this.#locked, bucket)) !== undefined) return undefined
      await this.#name.block(bucket, signInLockSeconds)
      return { lockedMs: signInLockSeconds * 1_000 }
    }
    const free = Math.ceil(tries / 2)
    if (count >= free) await this.#pause.block(bucket, Math.min(pauseMaxSeconds, 2 ** (count - free)))
    return undefined
  }

  /** The right password. */
  async succeeded(name: string, bucket: string, network: string): Promise<void> {
    await this.#name.delete(bucket)
    await this.#pause.delete(bucket)
    await this.#network.reward(network)
    const others = (this.#familiar.get(name) ?? []).filter((one) => one !== network)
    this.#familiar.delete(name)
    this.#familiar.set(name, [network, ...others].slice(0, familiarNetworks))
    for (const oldest of this.#familiar.keys()) {
      if (this.#familiar.size <= familiarNames) break
      this.#familiar.delete(oldest)
    }
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
