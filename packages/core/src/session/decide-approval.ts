import type { CommandOf } from '@hotline/protocol/command'
import type { KnownDraft } from '@hotline/protocol/events'
import type { ApprovalRequest } from '@hotline/protocol/events/approval'
import { approvalDigest } from '../approval-digest.ts'
import { faultOfEdit } from '../edited-input.ts'
import { policyRequest } from '../policy/deed.ts'
import { denialWords, judgeRequest } from '../policy/judge-approval.ts'
import { accept, type Context, type Decision, refuse } from '../decision.ts'
import { type RiskReading, riskOfRequest } from '../policy/risk.ts'
import { openApprovals, type PendingApproval, type SessionState, timedApprovals } from './state.ts'

/** A person answers an approval. The first valid answer wins; the second one is told who was first. */
export function decideApproval(state: SessionState, command: CommandOf<'approval.decide'>, context: Context): Decision {
  const { approval: id, digest, verdict, scope, input, reason } = command.data
  const pending = state.approvals.find(({ approval }) => approval === id)
  if (!pending || pending.outcome !== undefined) return waits(state, id) ?? settled(state, id)
  if (pending.expiresAt <= clockOf(state, context)) {
    return refuse('approval_expired', 'The time for this answer has passed; the agent is told that nobody answered.')
  }
  const high = verdict === 'deny' ? undefined : refusedAsHigh(state, pending, input, context)
  if (high) return high
  if (pending.digest !== digest) {
    return refuse('digest_mismatch', 'The request is not the one that was shown. Look again, then decide.', {
      digest: pending.digest,
    })
  }
  if (!pending.verdicts.includes(verdict)) {
    return refuse(
      'unsupported',
      `This agent cannot be answered with "${verdict}". It takes: ${pending.verdicts.join(', ')}.`,
    )
  }
  // A no reaches no further than what was asked.
  if (verdict !== 'deny' && !pending.scopes.includes(scope)) {
    return refuse(
      'unsupported',
      `This agent cannot be answered for "${scope}". It takes: ${pending.scopes.join(', ')}.`,
    )
  }
  if ((verdict === 'modify') !== (input !== undefined)) {
    return refuse('invalid_request', '"input" belongs to the verdict "modify", and to no other.')
  }
  if (verdict === 'modify' && scope !== 'once') {
    return refuse('invalid_request', 'A changed input counts once; it cannot be allowed for longer.')
  }
  const misfit = input === undefined ? undefined : misfitting(id, input, context)
  if (misfit) return misfit
  const denied = verdict === 'deny' ? undefined : deniedByRule(state, id, input, context)
  if (denied) return denied
  const outcome = verdict === 'allow' ? 'allowed' : verdict === 'deny' ? 'denied' : 'allowed_modified'
  return accept({
    type: 'approval.resolved',
    subject: `approval:${id}`,
    data: {
      approval: id,
      digest,
      outcome,
      scope,
      ...(input === undefined
        ? {}
        : { modifiedDigest: approvalDigest(pending.contextDigest, context.sha256(input), context.sha256) }),
    },
    body: { ...(reason === undefined ? {} : { reason }), ...(input === undefined ? {} : { input }) },
  })
}

/** What is put in the place of an input keeps its form and the types of its members: a tool that gets others does what nobody has read. */
function misfitting(id: string, input: string, { asked }: Context): Decision | undefined {
  const before = asked?.get(id)?.input
  const fault = before === undefined ? undefined : faultOfEdit(before, input)
  if (!fault) return undefined
  const { line, column, why } = fault
  return refuse('invalid_request', `"input", line ${line}, column ${column}: ${why} Nothing was allowed.`)
}

/** What denies wins over people as well, and looks at the bytes that would run: those that were asked, or others in their place. */
function deniedByRule(
  state: SessionState,
  id: string,
  changed: string | undefined,
  context: Context,
): Decision | undefined {
  const asked = context.asked?.get(id)
  if (!context.rules || !asked) return undefined
  const request = changed === undefined ? asked : { ...asked, input: changed }
  const { effect, rule } = judgeRequest(state.agent, request, { rules: context.rules, mode: { mode: 'ask' } }, context)
  if (effect !== 'deny' || !rule) return undefined
  return refuse('forbidden', denialWords(rule), { rule: rule.rule })
}

/** To allow what is of high risk takes a right of its own, also where a person makes it so by what they put in its place. */
function refusedAsHigh(
  state: SessionState,
  { approval, risk }: PendingApproval,
  changed: string | undefined,
  context: Context,
): Decision | undefined {
  if (!context.rules || context.allowHigh === true) return undefined
  const asked = context.asked?.get(approval)
  const judge = (request: ApprovalRequest): RiskReading => riskOfRequest(policyRequest(state.agent, request))
  const readings = [
    ...(risk === undefined ? [asked ? judge(asked) : unknownRisk] : [{ risk, why: [] }]),
    ...(changed === undefined ? [] : [asked ? judge({ ...asked, input: changed }) : unknownRisk]),
  ]
  const high = readings.find((one) => one.risk === 'high')
  if (!high) return undefined
  const why = high.why[0] === undefined ? '' : `: ${high.why[0]}`
  const detail = `This is of high risk${why}. ${context.allowHigh ?? 'Nobody looked whether you may allow it.'}`
  return refuse('forbidden', detail, { risk: 'high' })
}

/** What cannot be read could be anything. */
const unknownRisk: RiskReading = { risk: 'high', why: ['what it asks cannot be read any more'] }

/** Nobody can decide what nobody is shown. */
function waits({ waiting = [], approvals }: SessionState, id: string): Decision | undefined {
  const place = waiting.findIndex(({ approval }) => approval === id)
  if (place < 0) return undefined
  const open = approvals.filter(({ outcome }) => outcome === undefined).map(({ approval }) => approval)
  const before = place === 0 ? '' : `, after ${place} that wait before it`
  const detail = `It waits for its turn: ${open.length} are open and come first${before}. Decide those; it is shown then.`
  return refuse('invalid_transition', detail, { place: place + 1, waiting: waiting.length, open })
}

function settled(state: SessionState, id: string): Decision {
  const past = state.resolved.findLast(({ approval }) => approval === id)
  if (!past) return refuse('not_found', 'This session has no such approval.')
  if (past.outcome === 'timed_out') {
    return refuse('approval_expired', `Nobody answered in time; it was closed at ${past.at}.`, { at: past.at })
  }
  if (past.outcome === 'cancelled') {
    return refuse('approval_expired', `The agent no longer asks; it was closed at ${past.at}.`, { at: past.at })
  }
  return refuse('already_resolved', `This was ${past.outcome.replace('_', ' and ')} already.`, {
    outcome: past.outcome,
    by: past.by,
    channel: past.channel,
    at: past.at,
  })
}

/** The time as approvals see it: it stands while the session is paused. */
export function clockOf({ status, since }: SessionState, { now }: Context): string {
  return status === 'paused' ? since : now
}

/** The session goes on, and with it the time of what is open: nobody had to answer while it was paused. */
export function extendApprovals(state: SessionState, { now }: Context): readonly KnownDraft[] {
  if (state.status !== 'paused') return []
  return openApprovals(state).map(({ approval, expiresAt, requestedAt, openedAt = requestedAt }): KnownDraft => {
    const from = openedAt > state.since ? openedAt : state.since
    const stoodMs = Math.max(0, Date.parse(now) - Date.parse(from))
    const until = new Date(Date.parse(expiresAt) + stoodMs).toISOString()
    return {
      type: 'approval.extended',
      subject: `approval:${approval}`,
      data: { approval, expiresAt: until, why: 'paused' },
    }
  })
}

/** As long as an approval may be made to wait from the start. */
const extendMaxMs = 30 * 24 * 60 * 60 * 1_000

/**
 * More time to answer what is open. A person who comes after its time is told so; the server itself gives back what nobody
 * could have used.
 */
export function extendApproval(
  state: SessionState,
  { approval: id, until }: CommandOf<'approval.extend'>['data'],
  context: Context,
): Decision {
  const pending = state.approvals.find(({ approval }) => approval === id)
  if (!pending || pending.outcome !== undefined) return waits(state, id) ?? settled(state, id)
  if (context.actor.kind !== 'system' && pending.expiresAt <= clockOf(state, context)) {
    return refuse('approval_expired', 'The time for this answer has passed; the agent is told that nobody answered.')
  }
  const expiresAt = new Date(until).toISOString()
  if (expiresAt <= pending.expiresAt) {
    return refuse('invalid_request', `It can be answered until ${pending.expiresAt} anyway; name a later time.`, {
      expiresAt: pending.expiresAt,
    })
  }
  const { agentUntil } = pending
  if (context.actor.kind !== 'system' && agentUntil !== undefined && expiresAt > agentUntil) {
    const detail = `The agent itself waits only until ${agentUntil}; nobody can give it more time than that.`
    return refuse('unsupported', detail, { agentUntil })
  }
  if (Date.parse(expiresAt) - Date.parse(context.now) > extendMaxMs) {
    return refuse('invalid_request', 'At most thirty days from now.')
  }
  const why = context.actor.kind === 'system' ? 'away' : 'asked'
  return accept({ type: 'approval.extended', subject: `approval:${id}`, data: { approval: id, expiresAt, why } })
}

/** The server's clock says that the time is over. Early, late or double calls change nothing. */
export function expireApproval(state: SessionState, id: string, context: Context): Decision {
  const pending = timedApprovals(state).find(({ approval }) => approval === id)
  if (!pending || pending.expiresAt > clockOf(state, context)) return accept()
  return accept({ type: 'approval.timed_out', subject: `approval:${id}`, data: { approval: id } })
}

/** A person answers, or declines to answer, what the agent asked. The first one counts. */
export function decideQuestion(state: SessionState, command: CommandOf<'question.answer'>): Decision {
  const { question, action, content } = command.data
  if (!state.questions.some((open) => open.question === question)) {
    return refuse('already_resolved', 'This question is not open: it was answered, or the agent no longer asks.')
  }
  return accept({
    type: 'question.answered',
    subject: `question:${question}`,
    data: { question, action },
    body: content === undefined ? {} : { content },
  })
}
