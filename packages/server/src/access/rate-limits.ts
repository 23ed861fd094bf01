import { isIPv6 } from 'node:net'
import { type Problem, problem } from '@hotline/protocol/error'
import { RateLimiterMemory } from 'rate-limiter-flexible'

/** Tries to sign in: wrong ones count. */
const perAccount = { points: 10, duration: 15 * 60, blockDuration: 15 * 60 }
const perNetwork = { points: 50, duration: 15 * 60, blockDuration: 15 * 60 }
/** Requests of any kind. */
const requestsPerNetwork = { points: 6_000, duration: 60 }

/** The address, or for IPv6 the /64 that one customer usually has. */
export function networkOf(address: string): string {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address
  if (!isIPv6(plain)) return plain
  const [head = '', tail = ''] = plain.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0')
  return `${[...left, ...zeros, ...right].slice(0, 4).join(':')}::/64`
}

export interface RateLimits {
  /** Before the password is looked at. */
  beforeSignIn(name: string, address: string): Promise<Problem | undefined>
  /** After a wrong one. True where the account was locked by this try. */
  wrongSignIn(name: string, address: string): Promise<boolean>
  rightSignIn(name: string): Promise<void>
  request(address: string): Promise<Problem | undefined>
}

export function openRateLimits(): RateLimits {
  const accounts = new RateLimiterMemory({ keyPrefix: 'account', ...perAccount })
  const networks = new RateLimiterMemory({ keyPrefix: 'network', ...perNetwork })
  const requests = new RateLimiterMemory({ keyPrefix: 'request', ...requestsPerNetwork })
  const spend = async (limiter: RateLimiterMemory, key: string): Promise<number | undefined> => {
    try {
      await limiter.consume(key)
      return undefined
    } catch (full) {
      if (full instanceof Error) throw full
      return (full as { msBeforeNext: number }).msBeforeNext
    }
  }
  const tooMany = (waitMs: number): Problem =>
    problem('rate_limited', `Too many tries. Wait ${Math.ceil(waitMs / 1_000)} seconds.`, { retryAfterMs: waitMs })
  return {
    beforeSignIn: async (name, address) => {
      const account = await accounts.get(name.toLowerCase())
      const network = await networks.get(networkOf(address))
      if (account && account.remainingPoints <= 0) return tooMany(account.msBeforeNext)
      if (network && network.remainingPoints <= 0) return tooMany(network.msBeforeNext)
      return undefined
    },
    wrongSignIn: async (name, address) => {
      await spend(networks, networkOf(address))
      await spend(accounts, name.toLowerCase())
      return (await accounts.get(name.toLowerCase()))?.remainingPoints === 0
    },
    rightSignIn: async (name) => {
      await accounts.delete(name.toLowerCase())
    },
    request: async (address) => {
      const waitMs = await spend(requests, networkOf(address))
      return waitMs === undefined ? undefined : tooMany(waitMs)
    },
  }
}
