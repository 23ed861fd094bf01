import { RateLimiterMemory } from 'rate-limiter-flexible'
import { neighbourhoodOf } from '../machine/network-of.ts'

/** How many tries there are; the settings of the same names. */
export interface SignInLimitOptions {
  signInTriesPerAccount: number
  signInTriesPerNetwork: number
  signInLockSeconds: number
}

/**
 * Where a try for a name comes from. `browser`: its person has signed in with it before. `known`: their sessions or tokens
 * are used from that network. `strange`: nobody can tell the person from whoever guesses.
 */
export type Origin = { from: 'browser'; id: string } | { from: 'known' } | { from: 'strange' }

/** Under what a try is counted. `name` where it counts for all strangers together as well. */
export interface Bucket {
  key: string
  name?: string
}

/** A try that may be made, and under what it was counted; or how long to wait. */
export type Taken = { ok: true; bucket: Bucket } | { ok: false; waitMs: number }

/** Tries per second over all names and networks: keeps the number of counters in memory bounded as well. */
const triesPerSecond = 50
/** The longest pause between two tries before the lock. */
const pauseMaxSeconds = 30
/** Names whose people were here lately, and networks of each; the oldest are forgotten. */
const familiarNames = 10_000
const familiarNetworks = 5
/** Strangers of so many networks can spend all tries for a name; then it is closed for all of them. */
const strangeNetworks = 4

/**
 * Counts tries to sign in, before any password is looked at: for the name that was given (whether it exists or not), for
 * the network they come from, and over all. Half of the tries of a name are free; then each has to wait twice as long as
 * the one before; after the last one the name is locked for a while. A success forgets that count.
 *
 * Whoever guesses must not keep the person out. So a name has many counts: one for each browser that its person has signed
 * in with, wherever it is now, one for each network that they are known to come from, and one for each strange network.
 * What a stranger locks is locked for that stranger. Guesses of strangers are bounded together too, since networks are
 * cheap for some: that lock leaves the browsers and the networks that are known, and links for a new password, open.
 */
export class SignInLimits {
  readonly #options: SignInLimitOptions
  readonly #all: RateLimiterMemory
  readonly #network: RateLimiterMemory
  readonly #name: RateLimiterMemory
  readonly #strangers: RateLimiterMemory
  readonly #pause: RateLimiterMemory
  readonly #locked: RateLimiterMemory
  readonly #familiar = new Map<string, readonly string[]>()

  constructor(options: SignInLimitOptions) {
    const { signInTriesPerAccount, signInTriesPerNetwork, signInLockSeconds } = options
    this.#options = options
    this.#all = new RateLimiterMemory({ points: Math.max(triesPerSecond, signInTriesPerNetwork), duration: 1 })
    this.#network = new RateLimiterMemory({ points: signInTriesPerNetwork, duration: signInLockSeconds })
    this.#name = new RateLimiterMemory({ points: signInTriesPerAccount, duration: signInLockSeconds })
    const ofStrangers = signInTriesPerAccount * strangeNetworks
    this.#strangers = new RateLimiterMemory({ points: ofStrangers, duration: signInLockSeconds })
    this.#pause = new RateLimiterMemory({ points: 1, duration: 1 })
    this.#locked = new RateLimiterMemory({ points: 1, duration: signInLockSeconds })
  }

  /** Whether the person of a name signed in from this network lately. */
  isFamiliar(name: string, network: string): boolean {
    return this.#familiar.get(name)?.includes(network) ?? false
  }

  /**
   * Takes one try for a name; `originOf` is asked only where the network has not tried too often. `waitMs`: this one is
   * refused, come back then.
   */
  async take(name: string, network: string, originOf: () => Promise<Origin>): Promise<Taken> {
    const crowdedMs = await this.#crowded(network)
    if (crowdedMs !== undefined) return { ok: false, waitMs: crowdedMs }
    const origin = await originOf()
    return this.#takeFrom(bucketOf(name, network, origin), network)
  }

  /** The same for a browser that is known: others in its network do not use up its tries. */
  async takeOf(name: string, network: string, browser: Origin & { from: 'browser' }): Promise<Taken> {
    const waitMs = await consume(this.#all, 'known browsers')
    if (waitMs !== undefined) return { ok: false, waitMs }
    return this.#takeFrom(bucketOf(name, network, browser), undefined)
  }

  /** A wrong password. Answers how long it is locked, when this try has locked it. */
  async failed({ key, name }: Bucket): Promise<{ lockedMs: number } | undefined> {
    const { signInTriesPerAccount: tries, signInLockSeconds } = this.#options
    const count = (await this.#name.get(key))?.consumedPoints ?? 0
    const isOwnLast = count >= tries
    if (!isOwnLast) {
      const free = Math.ceil(tries / 2)
      if (count >= free) await this.#pause.block(key, Math.min(pauseMaxSeconds, 2 ** (count - free)))
    }
    const ofAll = name === undefined ? 0 : ((await this.#strangers.get(name))?.consumedPoints ?? 0)
    const isLastOfAll = name !== undefined && ofAll >= tries * strangeNetworks
    const own = isOwnLast && (await this.#lock(this.#name, key))
    const whole = isLastOfAll && (await this.#lock(this.#strangers, name))
    return own || whole ? { lockedMs: signInLockSeconds * 1_000 } : undefined
  }

  /** The right password. */
  async succeeded(name: string, bucket: Bucket, network: string): Promise<void> {
    await this.#name.delete(bucket.key)
    await this.#pause.delete(bucket.key)
    await this.#network.reward(network)
    if (bucket.name !== undefined) await this.#strangers.reward(bucket.name)
    this.noteFamiliar(name, network)
  }

  /** The person of a name was let in from this network. */
  noteFamiliar(name: string, network: string): void {
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
    const waitMs = await this.#crowded(network)
    return waitMs === undefined ? { ok: true } : { ok: false, waitMs }
  }

  /** Takes a try of the network and of all; one network alone never uses up those of all. */
  async #crowded(network: string): Promise<number | undefined> {
    const spent = await this.#network.get(network)
    if (spent !== null && spent.consumedPoints > this.#options.signInTriesPerNetwork) return waitOf(spent)
    return (await consume(this.#all, 'all')) ?? (await consume(this.#network, network))
  }

  async #takeFrom(bucket: Bucket, network: string | undefined): Promise<Taken> {
    const paused = await this.#pause.get(bucket.key)
    if (paused !== null && paused.consumedPoints > 1) {
      // Who has to wait and does not know it is not held against the network.
      if (network !== undefined) await this.#network.reward(network)
      return { ok: false, waitMs: waitOf(paused) }
    }
    const ownMs = await consume(this.#name, bucket.key)
    if (ownMs !== undefined) return { ok: false, waitMs: ownMs }
    const wholeMs = bucket.name === undefined ? undefined : await consume(this.#strangers, bucket.name)
    if (wholeMs === undefined) return { ok: true, bucket }
    // Others have used them up: what this one had stays.
    await this.#name.reward(bucket.key)
    return { ok: false, waitMs: wholeMs }
  }

  /** Tries that ran at the same time all come here; one of them locks. */
  async #lock(limiter: RateLimiterMemory, key: string): Promise<boolean> {
    if ((await consume(this.#locked, `${limiter === this.#name ? 'own' : 'all'} ${key}`)) !== undefined) return false
    await limiter.block(key, this.#options.signInLockSeconds)
    return true
  }
}

function bucketOf(name: string, network: string, origin: Origin): Bucket {
  switch (origin.from) {
    case 'browser':
      return { key: `${name} browser ${origin.id}` }
    case 'known':
      return { key: `${name} ${network}` }
    case 'strange':
      return { key: `${name} from ${neighbourhoodOf(network)}`, name }
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
