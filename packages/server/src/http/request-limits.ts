import { type Problem, problem } from '@hotline/protocol/error'
import { RateLimiterMemory } from 'rate-limiter-flexible'
import { type Principal, senderKey } from '../access/principal.ts'
import { consume } from '../access/sign-in-limits.ts'

/** Counters are for so long; their number in memory is bounded by what can come in that time. */
const windowSeconds = 10

/** How many requests may come, by network before anybody is known and by principal after. */
export interface RequestLimits {
  fromNetwork(network: string): Promise<Problem | undefined>
  ofPrincipal(principal: Principal): Promise<Problem | undefined>
}

/** Limits for requests in ten seconds. */
export function openRequestLimits(limits: { requestsPerNetwork: number; requestsPerPrincipal: number }): RequestLimits {
  const networks = new RateLimiterMemory({ points: limits.requestsPerNetwork, duration: windowSeconds })
  const principals = new RateLimiterMemory({ points: limits.requestsPerPrincipal, duration: windowSeconds })
  const spend = async (limiter: RateLimiterMemory, key: string): Promise<Problem | undefined> => {
    const waitMs = await consume(limiter, key)
    if (waitMs === undefined) return undefined
    return problem('rate_limited', 'Too many requests. Slow down.', { retryAfterMs: waitMs })
  }
  return {
    fromNetwork: (network) => spend(networks, network),
    ofPrincipal: (principal) => spend(principals, senderKey(principal)),
  }
}
