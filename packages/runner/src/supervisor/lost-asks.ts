import type { PendingApproval, SessionState } from '@hotline/core/session/state'
import type { Report } from '@hotline/protocol/commands/agent'

/** Approvals that people were asked for and that are not done with, those that wait for their turn too. */
export function askedIn(state: SessionState | undefined): readonly PendingApproval[] {
  return [...(state?.approvals ?? []), ...(state?.waiting ?? [])]
}

/** What was asked beside the conversation, and is not heard of any more since the runner that it was asked of is gone. */
export function lostAsks(state: SessionState | undefined, knows: (name: string) => boolean): readonly Report[] {
  const approvals = askedIn(state).filter(({ approval }) => !knows(approval))
  const questions = (state?.questions ?? []).filter(({ question }) => !knows(question))
  return [
    ...approvals.map(({ approval, outcome }): Report => {
      if (outcome === undefined) return { type: 'approval.cancelled', data: { approval, reason: 'agent_withdrew' } }
      return { type: 'approval.dispatch_refused', data: { approval, reason: 'stale' } }
    }),
    ...questions.map(({ question }): Report => ({
      type: 'question.withdrawn',
      data: { question, reason: 'agent_withdrew' },
    })),
  ]
}
