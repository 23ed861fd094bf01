import { type DecideManyAnswer, decisionsMax, type ManyDecision } from '@hotline/protocol/asks'
import type { Problem } from '@hotline/protocol/error'
import { waitBefore } from './backoff.ts'
import { systemClock } from './clock.ts'
import type { Link } from './link.ts'
import { isPassing } from './retry.ts'
import { uuidV7 } from './uuid.ts'

/** An answer to one approval; `digest` is that of the request as it was shown. */
export type OneDecision = Omit<ManyDecision, 'id'>

/** What became of one of many answers. */
export type OneOutcome = { ok: true; approval: string } | { ok: false; approval: string; problem: Problem }

/** A lost answer is asked for again so often, with the same ids: each happens once. */
const triesMax = 4

/**
 * Answers many approvals, each by itself: what becomes of one changes nothing of the others. What is of high risk is not allowed
 * among them. Answers what became of each, in their order; refusals are values.
 */
export async function decideMany(
  link: Pick<Link, 'request'>,
  decisions: readonly OneDecision[],
): Promise<readonly OneOutcome[]> {
  const outcomes: OneOutcome[] = []
  const all = decisions.map((one): ManyDecision => ({ id: uuidV7(), ...one }))
  for (let at = 0; at < all.length; at += decisionsMax)
    outcomes.push(...(await send(link, all.slice(at, at + decisionsMax))))
  return outcomes
}

async function send(link: Pick<Link, 'request'>, decisions: readonly ManyDecision[]): Promise<readonly OneOutcome[]> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await link.request<DecideManyAnswer>('POST', '/api/approvals/decide', { decisions })
    if (answer.ok) return answer.value.outcomes
    const { problem } = answer
    if (attempt === triesMax || !isPassing(problem)) {
      return decisions.map(({ approval }) => ({ ok: false, approval, problem }))
    }
    const { waitMs } = waitBefore(attempt, Math.random, problem.retryAfterMs)
    await new Promise<void>((resolve) => void systemClock.after(waitMs, resolve))
  }
}
