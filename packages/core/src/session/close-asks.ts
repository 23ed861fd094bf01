import type { KnownDraft } from '@hotline/protocol/events'
import { openApprovals, type SessionState } from './state.ts'

/** Closes every open approval and question: whoever asked is gone, so no answer could reach it. */
export function closeAsks(
  state: SessionState,
  reason: 'turn_ended' | 'session_ended' | 'agent_lost',
): readonly KnownDraft[] {
  return [
    ...openApprovals(state).map(({ approval }): KnownDraft => ({
      type: 'approval.cancelled',
      subject: `approval:${approval}`,
      data: { approval, reason },
    })),
    ...state.questions.map(({ question }): KnownDraft => ({
      type: 'question.withdrawn',
      subject: `question:${question}`,
      data: { question, reason },
    })),
  ]
}
