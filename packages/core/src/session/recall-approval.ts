import type { CommandOf } from '@hotline/protocol/command'
import { accept, type Decision, refuse } from '../decision.ts'
import type { SessionState } from './state.ts'

/**
 * A person takes back that something was allowed. It counts while nothing has said what became of the answer: whoever has the
 * agent hands over no answer that was taken back, as far as it has the log, and says which of the two was first.
 */
export function recallApproval(
  { approvals, waiting = [], resolved }: SessionState,
  { approval: id }: CommandOf<'approval.recall'>['data'],
): Decision {
  const pending = approvals.find(({ approval }) => approval === id)
  if (!pending) {
    if (waiting.some(({ approval }) => approval === id)) return refuse('invalid_transition', unanswered)
    const past = resolved.findLast(({ approval }) => approval === id)
    if (!past) return refuse('not_found', 'This session has no such approval.')
    const { outcome, by, channel, at } = past
    const detail = 'Too late: its machine has said already what became of that answer.'
    return refuse('already_resolved', detail, { outcome, by, channel, at })
  }
  const { outcome, recalledBy, trusts } = pending
  if (outcome === undefined) return refuse('invalid_transition', unanswered)
  if (outcome !== 'allowed' && outcome !== 'allowed_modified') {
    return refuse('invalid_transition', 'It was not allowed; there is nothing to take back.', { outcome })
  }
  if (trusts !== undefined) {
    return refuse('unsupported', 'It is about settings that a folder brings. Say that the folder is no longer trusted.')
  }
  if (recalledBy) return refuse('already_resolved', 'It was taken back already.', { by: recalledBy })
  return accept({ type: 'approval.recalled', subject: `approval:${id}`, data: { approval: id } })
}

const unanswered = 'Nobody has answered it yet. Deny it in place of that.'
