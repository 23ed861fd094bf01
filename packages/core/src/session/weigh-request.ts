import type { Report } from '@hotline/protocol/commands/agent'
import type { ErrorCode } from '@hotline/protocol/error'
import type { DraftOf, KnownDraft } from '@hotline/protocol/events'
import { limits } from '@hotline/protocol/limits'
import { holdsAgent } from '@hotline/protocol/session-status'
import { approvalDigest, contextDigest, inputDigest } from '../approval-digest.ts'
import type { Context, Decision } from '../decision.ts'
import { answerOf, judgeRequest } from '../policy/judge-approval.ts'
import { modeAt } from './session-mode.ts'
import { openApprovals, type SessionState } from './state.ts'

/** What becomes of a report: events, or it is left out, for a reason that its runner is told; or its whole batch is refused. */
export type Weighed =
  | { drafts: readonly KnownDraft[] }
  | { drop: ErrorCode; drafts?: readonly KnownDraft[] }
  | { refusal: Decision }

/** The deadline is the server's to set: an agent can only make it shorter, and then that is said. */
export function withDeadline(state: SessionState, report: Report, context: Context): Report {
  const { expiresAt: proposed, queued: _, agentUntil: __, ...data } = report.data
  const latest = latestFor(state, context)
  const isShorter = typeof proposed === 'string' && proposed < latest
  const until = isShorter ? { expiresAt: proposed, agentUntil: proposed } : { expiresAt: latest }
  return { ...report, data: { ...data, ...until, onTimeout: 'deny' } }
}

/** What was said when the session was started comes before what is said of its project. */
function latestFor(state: SessionState, { now, approvalTimeoutMs: ofProject }: Context): string {
  const isOwn = state.approvalTimeoutMs !== limits.approvalTimeoutMs
  const timeoutMs = isOwn ? state.approvalTimeoutMs : (ofProject ?? state.approvalTimeoutMs)
  return new Date(Date.parse(now) + timeoutMs).toISOString()
}

/**
 * Frozen here: the digests are computed again from the very bytes that are stored and shown. Where a rule of the project or
 * the mode of the session answers it, that is in the log with it, and nobody is asked. Otherwise it is open, or waits for its
 * turn where as many are open as people are asked at once.
 */
export function weighRequest(state: SessionState, draft: DraftOf<'approval.requested'>, context: Context): Weighed {
  const id = draft.data.approval
  const { approvals, waiting = [], resolved } = state
  if ([approvals, waiting, resolved].some((known) => known.some(({ approval }) => approval === id))) {
    return { drop: 'already_exists' }
  }
  if (!holdsAgent(state.status) || state.ending) return { drop: 'invalid_transition' }
  const of = contextDigest(state.session, state.agent, draft.body, context.sha256)
  const input = inputDigest(draft.body, context.sha256)
  const digest = input === undefined ? undefined : approvalDigest(of, input, context.sha256)
  if (draft.data.contextDigest !== of || draft.data.digest !== digest) return { drop: 'digest_mismatch' }
  if (draft.data.trusts !== undefined && draft.data.trusts !== input) return { drop: 'digest_mismatch' }
  const { open: openMax, waiting: waitingMax } = limitsOf(context)
  // Also what a rule answers: until the agent has the answer it is kept.
  if (approvals.length + waiting.length >= openMax + waitingMax) return refused(draft, waitingMax)
  const { weighed, answer } = judged(state, draft, context)
  if (answer) return { drafts: [weighed, answer] }
  const isTurn = waiting.length === 0 && openApprovals(state).length < openMax
  if (isTurn) return { drafts: [weighed] }
  return { drafts: [{ ...weighed, data: { ...weighed.data, queued: true } }] }
}

/** With its risk, and the answer that a rule or a mode gives. */
function judged(
  state: SessionState,
  draft: DraftOf<'approval.requested'>,
  context: Context,
): { weighed: DraftOf<'approval.requested'>; answer: DraftOf<'approval.resolved'> | undefined } {
  if (!context.rules) return { weighed: draft, answer: undefined }
  const policy = { rules: context.rules, mode: modeAt(state, context.now) }
  const evaluation = judgeRequest(state.agent, draft.body, policy, context)
  const weighed = { ...draft, data: { ...draft.data, risk: evaluation.risk } }
  return { weighed, answer: answerOf(weighed.data, evaluation, state.policyMode?.by) }
}

/** Its runner hears at once that it was left out, and tells its agent so; people see in the log that it was. */
function refused({ data: { approval }, body: { tool, title } }: DraftOf<'approval.requested'>, limit: number): Weighed {
  const event: KnownDraft = {
    type: 'approval.refused',
    subject: `approval:${approval}`,
    data: { approval, reason: 'queue_full', limit },
    body: { tool, title },
  }
  return { drop: 'queue_full', drafts: [event] }
}

/** Those that wait come up where room has been made by what was just decided, each with the whole of its time. */
export function openWaiting(state: SessionState, context: Context): readonly KnownDraft[] {
  const room = limitsOf(context).open - openApprovals(state).length
  if (room <= 0 || !holdsAgent(state.status)) return []
  const latest = latestFor(state, context)
  return (state.waiting ?? []).slice(0, room).map(({ approval, agentUntil }): KnownDraft => ({
    type: 'approval.opened',
    subject: `approval:${approval}`,
    data: { approval, expiresAt: agentUntil !== undefined && agentUntil < latest ? agentUntil : latest },
  }))
}

function limitsOf({ approvalLimits }: Context): { open: number; waiting: number } {
  return approvalLimits ?? { open: limits.openApprovals, waiting: limits.waitingApprovals }
}
