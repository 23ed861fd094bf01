import { accept, type Context, type Decision } from '../decision.ts'
import { answerOf, judgeRequest } from '../policy/judge-approval.ts'
import { clockOf } from './decide-approval.ts'
import { openApprovals, type SessionState } from './state.ts'

/**
 * The rules of the project have changed: what is open gets the answer that it would get now. A mode answers none of it: what
 * was asked of a person before it was switched on stays with them.
 */
export function judgeOpen(state: SessionState, context: Context): Decision {
  const { rules, asked } = context
  if (!rules || !asked) return accept()
  const now = clockOf(state, context)
  const answers = openApprovals(state).flatMap((open) => {
    const request = asked.get(open.approval)
    if (!request || open.expiresAt <= now) return []
    const judged = judgeRequest(state.agent, request, { rules, mode: { mode: 'ask' } }, context)
    return answerOf(open, judged, undefined) ?? []
  })
  return accept(...answers)
}
