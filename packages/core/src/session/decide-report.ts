import type { Budget, BudgetName } from '@hotline/protocol/budget'
import type { CommandOf } from '@hotline/protocol/command'
import type { AcceptedFacts } from '@hotline/protocol/command-answer'
import { issuesOf } from '@hotline/protocol/command'
import type { Report } from '@hotline/protocol/commands/agent'
import type { ErrorCode } from '@hotline/protocol/error'
import { eventSpecs, type DraftOf, type KnownDraft } from '@hotline/protocol/events'
import { limits } from '@hotline/protocol/limits'
import { holdsAgent, isLive, transitions } from '@hotline/protocol/session-status'
import { type Context, type Decision, refuse } from '../decision.ts'
import { draftEvent } from '../draft-event.ts'
import { attachedOf } from './attachments.ts'
import { extendApprovals } from './decide-approval.ts'
import { breakOff, cancelStep, closeAll, closeAsks, closeReview } from './close-open.ts'
import { droppedDraft } from './decide-draft.ts'
import { evolveSession } from './evolve.ts'
import { freedEdits } from './session-mode.ts'
import { type Draft, openApprovals, type SessionState, type Undo } from './state.ts'
import { subjectOf } from './subject.ts'
import { weighRequest, type Weighed, withProposal } from './weigh-request.ts'

/** Reported events that say nothing new, or that came too late: left out, and named in the answer. */
type Dropped = NonNullable<AcceptedFacts['dropped']>

/**
 * What an agent did, in the words of its runner. Only the holder of the lease's fence is heard. An event that no longer
 * fits (a message that was withdrawn meanwhile, an approval that is closed) is left out and named in `dropped`, so the
 * runner knows; a batch that cannot be read at all is refused whole, since that is a fault of the runner.
 */
export function decideReport(first: SessionState, command: CommandOf<'agent.report'>, context: Context): Decision {
  const { fence, events: reports } = command.data
  if (first.lease?.fence !== fence || first.lease.runner !== context.actor.id) {
    return refuse('fenced', 'Another life of a runner holds this session. Stop its agent, or take the lease again.', {
      fence: first.lease?.fence ?? null,
    })
  }
  let state = first
  const events: KnownDraft[] = []
  const dropped: Dropped = []
  for (const [index, report] of reports.entries()) {
    const outcome = weigh(state, report, context)
    if ('refusal' in outcome) return outcome.refusal
    if ('drop' in outcome) dropped.push({ index, code: outcome.drop })
    for (const draft of outcome.drafts ?? []) {
      events.push(draft)
      state = evolveSession(state, draftEvent(command.stream, draft, context)) ?? state
    }
  }
  return { ok: true, events, facts: dropped.length > 0 ? { dropped } : {} }
}

/** As long as what a person may say of it. */
const goalChars = 2_000

function weigh(state: SessionState, report: Report, context: Context): Weighed {
  const draft = readReport(report.type === 'approval.requested' ? withProposal(report, context) : report)
  if ('refusal' in draft) return draft
  switch (draft.type) {
    case 'session.state_changed':
      return stateChanged(state, draft, context)
    case 'session.profile_changed':
      return { drafts: [draft, ...freedEdits(state, draft.data.fence)] }
    case 'usage.reported':
    case 'output.appended':
    case 'screen.saved':
    case 'message.seen':
    case 'thought.completed':
    case 'step.progressed':
    case 'step.finished':
    case 'loop.noticed':
    case 'plan.updated':
      return { drafts: [draft] }
    case 'checkpoint.created':
    case 'checkpoint.skipped':
    case 'workspace.prepared':
    case 'workspace.released':
      return { drafts: [draft] }
    case 'undo.planned':
      return keepIf(draft, isUndo(state, draft.data.undo, 'wanted'), 'invalid_transition')
    case 'undo.refused':
      return keepIf(draft, state.undo?.undo === draft.data.undo, 'invalid_transition')
    case 'checkpoint.restored':
      return keepIf(draft, isUndo(state, draft.data.undo, 'approved'), 'invalid_transition')
    case 'draft.ready':
      return draftReady(state, draft)
    case 'draft.refused':
      return keepIf(draft, state.draft?.draft === draft.data.draft, 'invalid_transition')
    case 'draft.resolved':
      return keepIf(draft, isDraft(state, draft.data.draft, 'reviewed'), 'invalid_transition')
    case 'message.delta':
      return { drafts: [...makeRoom(state.texts, `message:${draft.data.message}`, limits.openTexts, breakOff), draft] }
    case 'thought.delta':
      return { drafts: [...makeRoom(state.texts, `thought:${draft.data.thought}`, limits.openTexts, breakOff), draft] }
    case 'step.started':
      return { drafts: [...makeRoom(state.steps, draft.data.step, limits.openSteps, cancelStep), draft] }
    case 'message.posted':
    case 'message.completed':
      return agentMessage(state, draft, context)
    case 'message.delivered':
      return keepIf(draft, isNext(state, draft), 'not_queued')
    case 'message.delivery_unknown':
      return { drafts: [draft] }
    case 'turn.started':
      return keepIf(draft, state.turn === undefined && holdsAgent(state.status), 'invalid_transition')
    case 'turn.ended':
      if (state.turn?.turn !== draft.data.turn) return { drop: 'invalid_transition' }
      return { drafts: [...closeAsks(state, 'turn_ended'), ...closeReview(state), draft] }
    case 'approval.requested':
      return weighRequest(state, draft, context)
    case 'approval.cancelled':
      return keepIf(
        draft,
        [...openApprovals(state), ...(state.waiting ?? [])].some(({ approval }) => approval === draft.data.approval),
        'already_resolved',
      )
    case 'approval.dispatched':
    case 'approval.dispatch_refused':
    case 'approval.dispatch_unknown':
      return keepIf(
        draft,
        state.approvals.some((pending) => pending.approval === draft.data.approval && pending.outcome !== undefined),
        'invalid_transition',
      )
    case 'question.asked':
      if (state.questions.some(({ question }) => question === draft.data.question)) return { drop: 'already_exists' }
      if (!holdsAgent(state.status)) return { drop: 'invalid_transition' }
      return keepIf(draft, state.questions.length < limits.openQuestions, 'queue_full')
    case 'question.withdrawn':
      return keepIf(
        draft,
        state.questions.some(({ question }) => question === draft.data.question),
        'already_resolved',
      )
    case 'goal.completed':
      return keepIf(draft, mayReach(state, draft), 'invalid_transition')
    case 'budget.changed':
      return keepIf(draft, isFirst(state, draft.data.budget), 'invalid_transition')
    case 'budget.warned':
    case 'budget.exhausted':
      return keepIf(draft, state.budget?.[draft.data.budget] === draft.data.limit, 'invalid_transition')
    case 'control.escalated':
    case 'control.done':
    case 'control.failed':
      return keepIf(
        draft,
        state.controls.some(({ control }) => control === draft.data.control),
        'invalid_transition',
      )
  }
}

/** What a profile sets holds where nobody has set anything else, before the agent is there for the first time. */
function isFirst(state: SessionState, budget: Budget): boolean {
  const set = Object.entries(state.budget ?? {})
  return (
    state.status === 'starting' &&
    state.startedAt === undefined &&
    set.every(([name, limit]) => budget[name as BudgetName] === limit)
  )
}

/** An agent says it with its tool; a program that has no turns by its end. Neither speaks for a person. */
function mayReach(state: SessionState, { data, body }: DraftOf<'goal.completed'>): boolean {
  const isFitting = data.by === 'agent' || (data.by === 'program' && state.capabilities?.input !== 'turns')
  return isFitting && holdsAgent(state.status) && !state.ending && (body.summary?.length ?? 0) <= goalChars
}

type Reported = DraftOf<Report['type']>

/** Reads a report against the schema of its type, and gives it its subject. */
export function readReport(report: Report): Reported | { refusal: Decision } {
  const spec = eventSpecs[report.type]
  const data = spec.data.safeParse(report.data)
  const body = spec.body?.safeParse(report.body ?? {})
  const error = data.error ?? body?.error
  if (error) {
    const issues = issuesOf(error, report.type)
    return { refusal: refuse('invalid_request', `The report of "${report.type}" cannot be read.`, { issues }) }
  }
  const subject = subjectOf(report.type, report.data)
  return {
    type: report.type,
    ...(subject === undefined ? {} : { subject }),
    data: data.data,
    ...(body ? { body: body.data } : {}),
  } as unknown as Reported
}

function keepIf(draft: KnownDraft, fits: unknown, code: ErrorCode): Weighed {
  return fits === true ? { drafts: [draft] } : { drop: code }
}

/**
 * A claim may have been on its way for a whole outage. It counts only if the agent would get what the log says: the first
 * message of the queue, with the text that it has now. Otherwise the runner looks again and makes another one.
 */
function isNext(state: SessionState, { data }: DraftOf<'message.delivered'>): boolean {
  const [next] = state.queue
  return next?.message === data.message && (next.edits ?? 0) === (data.edits ?? 0)
}

/** So many may be open: the oldest is closed for another one. If its end is told after all, that counts. */
function makeRoom(
  open: readonly string[] = [],
  another: string,
  most: number,
  close: (id: string) => KnownDraft,
): readonly KnownDraft[] {
  const [oldest] = open
  return oldest === undefined || open.length < most || open.includes(another) ? [] : [close(oldest)]
}

function isDraft({ draft }: SessionState, id: string, phase: Draft['phase']): boolean {
  return draft?.draft === id && draft.phase === phase
}

/** What was asked for, or what its runner made by itself: that takes the place of what nobody has decided on. */
function draftReady(state: SessionState, draft: DraftOf<'draft.ready'>): Weighed {
  const standing = state.draft
  if (isDraft(state, draft.data.draft, 'wanted')) return { drafts: [draft] }
  if (!holdsAgent(state.status) || (standing && standing.phase !== 'ready')) return { drop: 'invalid_transition' }
  if (standing?.draft === draft.data.draft) return { drop: 'already_exists' }
  return { drafts: standing ? [droppedDraft(standing.draft), draft] : [draft] }
}

function isUndo({ undo }: SessionState, id: string, phase: Undo['phase']): boolean {
  return undo?.undo === id && undo.phase === phase
}

/** An agent's own words: never in a person's or the server's name, never queued. */
function agentMessage(
  state: SessionState,
  told: DraftOf<'message.posted' | 'message.completed'>,
  { actor, uploads }: Context,
): Weighed {
  const { attachments, ...words } = told.body
  const draft = { ...told, body: { ...words, ...attachedOf(attachments, actor, uploads) } } as typeof told
  if (draft.body.text.length > state.agentMessageChars) {
    return {
      refusal: refuse(
        'message_too_long',
        `An agent's message may have ${state.agentMessageChars} characters. Report it in parts.`,
        {
          limit: state.agentMessageChars,
        },
      ),
    }
  }
  if (draft.type === 'message.completed') return { drafts: [draft] }
  return { drafts: [{ ...draft, data: { ...draft.data, role: 'agent', queued: false } }] }
}

/** The runner says where its agent stands now; where it came from, and what a person decided meanwhile, the state knows. */
function stateChanged(state: SessionState, draft: DraftOf<'session.state_changed'>, context: Context): Weighed {
  const gone = draft.data.to !== 'active' && draft.data.to !== 'paused'
  const wanted = gone && state.ending ? state.ending : draft.data.to
  const to =
    state.status === 'starting' && (wanted === 'interrupted' || wanted === 'completed')
      ? state.ending
        ? 'aborted'
        : 'failed'
      : // Paused it has come to no end of its own: whatever its process did, it is gone in the middle of something.
        state.status === 'paused' && (wanted === 'failed' || wanted === 'completed')
        ? state.ending
          ? 'aborted'
          : 'interrupted'
        : wanted
  if (!transitions[state.status].includes(to) || to === 'starting') {
    // A person ended it while the machine was out of contact. What was told of the agent since then has no end of its own.
    const left = gone && !isLive(state.status) ? closeAll(state, state.status, 'its runner') : []
    return left.length > 0 ? { drafts: left } : { drop: 'invalid_transition' }
  }
  const reason = gone && state.ending ? 'requested' : draft.data.reason
  const change: KnownDraft = { ...draft, data: { ...draft.data, from: state.status, to, reason } }
  const before = gone ? closeAll(state, to, 'its runner') : extendApprovals(state, context)
  return { drafts: [...before, change] }
}
