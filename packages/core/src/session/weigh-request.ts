import type { Report } from '@hotline/protocol/commands/agent'
import type { ErrorCode } from '@hotline/protocol/error'
import type { DraftOf, KnownDraft } from '@hotline/protocol/events'
import { limits } from '@hotline/protocol/limits'
import type { Risk } from '@hotline/protocol/risk'
import { holdsAgent } from '@hotline/protocol/session-status'
import { approvalDigest, contextDigest, inputDigest } from '../approval-digest.ts'
import type { Context, Decision } from '../decision.ts'
import { answerOf, judgeRequest } from '../policy/judge-approval.ts'
import { timeoutFor } from '../policy/policy-state.ts'
import { modeAt } from './session-mode.ts'
import { openApprovals, type SessionState } from './state.ts'

/** What becomes of a report: events, or it is left out, for a reason that its runner is told; or its whole batch is refused. */
export type Weighed =
  | { drafts: readonly KnownDraft[] }
  | { drop: ErrorCode; drafts?: readonly KnownDraft[] }
  | { refusal: Decision }

/** With the time that its agent proposes, if any, and nothing of what only the server says; its deadline comes with its risk. */
export function withProposal(report: Report, { now }: Context): Report {
  const { expiresAt: proposed, queued: _, agentUntil: __, ...data } = report.data
  const until = typeof proposed === 'string' ? { agentUntil: proposed } : {}
  return { ...report, data: { ...data, ...until, expiresAt: now, onTimeout: 'deny' } }
}

/** The deadline is the server's to set, by the risk: an agent can only make it shorter, and then that is said. */
function withDeadline(
  state: SessionState,
  draft: DraftOf<'approval.requested'>,
  context: Context,
): DraftOf<'approval.requested'> {
  const { agentUntil: proposed, ...data } = draft.data
  const latest = latestFor(state, context, data.risk)
  const isShorter = proposed !== undefined && proposed < latest
  const until = isShorter ? { expiresAt: proposed, agentUntil: proposed } : { expiresAt: latest }
  return { ...draft, data: { ...data, ...until } }
}

/** What was said when the session was started comes before what is said of its project, and of the server. */
function latestFor(state: SessionState, { now, approvalTimeouts }: Context, risk: Risk | undefined): string {
  const isOwn = state.approvalTimeoutMs !== limits.approvalTimeoutMs
  const timeoutMs = isOwn ? state.approvalTimeoutMs : timeoutFor(approvalTimeouts ?? {}, risk)
  return new Date(Date.parse(now) + timeoutMs).toISOString()
}

/**
 * Frozen here: the digests are computed again from the very bytes that are stored and shown. Where a rule or
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

/** With its risk and its deadline, and the answer that a rule or a mode gives. */
function judged(
  state: SessionState,
  draft: DraftOf<'approval.requested'>,
  context: Context,
): { weighed: DraftOf<'approval.requested'>; answer: DraftOf<'approval.resolved'> | undefined } {
  if (!context.rules) return { weighed: withDeadline(state, draft, context), answer: undefined }
  const policy = { rules: context.rules, mode: modeAt(state, context.now) }
  const evaluation = judgeRequest(state.agent, draft.body, policy, context)
  const risky = { ...draft, data: { ...draft.data, risk: evaluation.risk } }
  const weighed = withDeadline(state, risky, context)
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
  return (state.waiting ?? []).slice(0, room).map(({ approval, agentUntil, risk }): KnownDraft => {
    const latest = latestFor(state, context, risk)
    const expiresAt = agentUntil !== undefined && agentUntil < latest ? agentUntil : latest
    return { type: 'approval.opened', subject: `approval:${approval}`, data: { approval, expiresAt } }
  })
}

function limitsOf({ approvalLimits }: Context): { open: number; waiting: number } {
  return approvalLimits ?? { open: limits.openApprovals, waiting: limits.waitingApprovals }
}
