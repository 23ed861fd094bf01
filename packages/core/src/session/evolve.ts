import type { EventOf, KnownEvent } from '@hotline/protocol/events'
import { asKnown } from '@hotline/protocol/known-event'
import type { Envelope } from '@hotline/protocol/event'
import { isLive } from '@hotline/protocol/session-status'
import { splitStream } from '@hotline/protocol/stream'
import { erasedTitle } from '../erased-title.ts'
import { asked, drop, opened, recalled, settle } from './pending.ts'
import { modeSaid } from './standing-mode.ts'
import { budgetChanged, budgetExhausted, budgetWarned, spend } from './spent.ts'
import type { Draft, SessionState, Undo, Usage } from './state.ts'

/** Leases that were taken away and of which something may still come. */
const formerKept = 20

/**
 * The fold of a session: server, page, SDK and command line use this one, so whoever has followed to a position has the
 * state that the server had there. It gives back the same object where an event changes nothing, and ignores types that
 * it does not know.
 */
export function evolveSession(state: SessionState | undefined, event: Envelope): SessionState | undefined {
  const known = asKnown(event)
  if (!known) return state
  if (known.type === 'session.created') return created(known)
  if (!state) return state
  const erasing = known.type === 'content.erased'
  const before = state.erased === true && !erasing ? { ...state, erased: undefined } : state
  return spend(before, next(before, known), known)
}

/** What was told and nothing else: a later report may hold a part of it. */
function usageOf({ data }: EventOf<'usage.reported'>): Usage {
  const { inputTokens, outputTokens, contextUsed, contextSize, cost } = data
  return {
    ...(inputTokens === undefined ? {} : { inputTokens }),
    ...(outputTokens === undefined ? {} : { outputTokens }),
    ...(contextUsed === undefined ? {} : { contextUsed }),
    ...(contextSize === undefined ? {} : { contextSize }),
    ...(cost === undefined ? {} : { cost: { amount: cost.amount, currency: cost.currency } }),
  }
}

function created(event: EventOf<'session.created'>): SessionState {
  const { data, body } = event
  return {
    kind: 'session',
    session: splitStream(event.stream).id,
    project: data.project,
    task: data.task,
    agent: data.agent,
    runner: data.runner,
    title: body?.title ?? '',
    status: 'queued',
    since: event.at,
    createdAt: event.at,
    startedBy: { kind: event.actor.kind, id: event.actor.id },
    labels: data.labels,
    personMessageChars: data.personMessageChars,
    agentMessageChars: data.agentMessageChars,
    approvalTimeoutMs: data.approvalTimeoutMs,
    unasked: data.unasked,
    unfenced: data.unfenced,
    freeEdits: data.freeEdits ? event.actor : undefined,
    endsAfter: data.endsAfter,
    budget: data.budget,
    queue: [],
    approvals: [],
    resolved: [],
    questions: [],
    controls: [],
    resuming: false,
    counts: { messages: 0, turns: 0, steps: 0, approvals: 0 },
  }
}

/**
 * What changes nothing of a session: a new event that is not here has to have a case. As a type it costs the bundle of a page
 * nothing.
 */
type Unchanging =
  | 'session.created'
  | 'approval.refused'
  | 'report.recovered'
  | 'control.escalated'
  | 'loop.noticed'
  | 'checkpoint.skipped'
  | 'workspace.released'
  | 'goal.completed'
  | 'message.seen'
  | 'message.reacted'
  | 'step.progressed'
  | 'plan.updated'
  | 'output.appended'
  | 'screen.saved'
  | 'terminal.resized'
  | 'input.sent'
  | 'notice.posted'
  | 'project.created'
  | 'project.renamed'
  | 'project.sessions_limited'
  | 'member.added'
  | 'member.changed'
  | 'member.removed'
  | 'session.indexed'
  | 'folder.trusted'
  | 'folder.distrusted'
  | 'webhook.added'
  | 'webhook.changed'
  | 'webhook.removed'
  | 'webhook.rotated'
  | 'webhook.disabled'
  | 'policy.rule_set'
  | 'policy.rule_moved'
  | 'policy.rule_revoked'
  | 'policy.timeout_set'
  | 'task.created'
  | 'task.changed'
  | 'task.moved'
  | 'task.removed'
  | 'task.session_seen'
  | 'task.indexed'
  | 'account.created'
  | 'account.disabled'
  | 'account.enabled'
  | 'account.password_changed'
  | 'account.signed_in'
  | 'account.signed_out'
  | 'account.locked'
  | 'account.second_factor_added'
  | 'account.second_factor_removed'
  | 'account.recovery_code_used'
  | 'key.created'
  | 'key.revoked'
  | 'head_key.replaced'
  | 'runner.enrolled'
  | 'account.begun'
  | 'ask.snoozed'
  | 'ask.unsnoozed'
  | 'read.marked'

function unchanged(state: SessionState, _type: Unchanging): SessionState {
  return state
}

function next(state: SessionState, event: KnownEvent): SessionState {
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the type Unchanging has the others
  switch (event.type) {
    case 'session.state_changed':
      return changed(state, event)
    case 'session.renamed':
      return event.body ? { ...state, title: event.body.title } : state
    case 'session.profile_changed':
      return profile(state, event)
    case 'session.lease_taken':
      return {
        ...state,
        runner: event.data.runner,
        lease: { runner: event.data.runner, fence: event.data.fence },
        staleSince: undefined,
        resuming: false,
      }
    case 'session.taken_over':
      return takenOver(state, event)
    case 'session.contact_lost':
      return { ...state, staleSince: event.data.since }
    case 'session.contact_restored':
      return { ...state, staleSince: undefined }

    case 'usage.reported':
      return { ...state, usage: { ...state.usage, ...usageOf(event) } }
    case 'message.posted':
      return {
        ...state,
        counts: { ...state.counts, messages: state.counts.messages + 1 },
        queue: event.data.queued ? [...state.queue, { message: event.data.message, by: event.actor }] : state.queue,
      }
    case 'message.delta':
      return withTexts(state, including(state.texts, `message:${event.data.message}`))
    case 'message.completed':
      return {
        ...state,
        texts: without(state.texts, `message:${event.data.message}`),
        counts: { ...state.counts, messages: state.counts.messages + 1 },
      }
    case 'message.broken_off':
      return withTexts(state, without(state.texts, `message:${event.data.message}`))
    case 'thought.delta':
      return withTexts(state, including(state.texts, `thought:${event.data.thought}`))
    case 'thought.completed':
    case 'thought.broken_off':
      return withTexts(state, without(state.texts, `thought:${event.data.thought}`))
    case 'message.edited':
      return {
        ...state,
        queue: state.queue.map((queued) =>
          queued.message === event.data.message ? { ...queued, edits: (queued.edits ?? 0) + 1 } : queued,
        ),
      }
    case 'message.hurried':
      return hurry(state, event.data.message)
    case 'message.reordered': {
      const place = new Map(event.data.order.map((message, index) => [message, index]))
      const last = event.data.order.length
      return {
        ...state,
        queue: state.queue.toSorted((a, b) => (place.get(a.message) ?? last) - (place.get(b.message) ?? last)),
      }
    }
    case 'message.withdrawn':
      return unqueue(state, event.data.message)
    case 'message.delivered':
      return withBegins(unqueue(state, event.data.message), state.turn ? undefined : event.data.turn)
    case 'message.delivery_unknown':
      return withBegins(unqueue(state, event.data.message), undefined)

    case 'turn.started':
      return {
        ...withBegins(state, undefined),
        turn: { turn: event.data.turn, since: event.at, message: event.data.message },
        counts: { ...state.counts, turns: state.counts.turns + 1 },
      }
    case 'turn.ended':
      return state.turn?.turn === event.data.turn ? { ...state, turn: undefined } : state
    case 'step.started':
      return {
        ...state,
        steps: including(state.steps, event.data.step),
        counts: { ...state.counts, steps: state.counts.steps + 1 },
      }
    case 'step.finished': {
      const steps = without(state.steps, event.data.step)
      return steps === state.steps ? state : { ...state, steps }
    }

    case 'approval.requested':
      return asked(state, event)
    case 'approval.opened':
      return opened(state, event)
    case 'approval.extended': {
      const { approval, expiresAt } = event.data
      return {
        ...state,
        approvals: state.approvals.map((open) => (open.approval === approval ? { ...open, expiresAt } : open)),
      }
    }
    case 'approval.resolved':
    case 'approval.timed_out':
      return settle(state, event)
    case 'approval.cancelled':
      return drop(settle(state, event), event.data.approval)
    case 'approval.recalled':
      return recalled(state, event)
    case 'approval.dispatched':
    case 'approval.dispatch_refused':
    case 'approval.dispatch_unknown':
      return drop(state, event.data.approval)
    case 'policy.mode_set':
    case 'policy.mode_ended':
      return { ...state, ...withoutWish(state), policyMode: modeSaid(event) }
    case 'question.asked':
      return { ...state, questions: [...state.questions, { question: event.data.question, askedAt: event.at }] }
    case 'question.answered':
    case 'question.withdrawn':
      return { ...state, questions: state.questions.filter(({ question }) => question !== event.data.question) }

    case 'control.requested':
      return {
        ...state,
        controls: [...state.controls, controlOf(event)],
        ending: event.data.ending ?? state.ending,
        resuming: event.data.action === 'resume' && state.status === 'interrupted' ? true : state.resuming,
      }
    case 'control.done':
    case 'control.failed':
      return {
        ...state,
        ...(event.type === 'control.done' && event.data.action === 'pause' ? { paused: pausedBy(event) } : {}),
        controls: state.controls.filter(({ control }) => control !== event.data.control),
        ending: event.type === 'control.failed' && event.data.action === 'kill' ? undefined : state.ending,
      }

    case 'budget.changed':
      return budgetChanged(state, event.data.budget)
    case 'budget.warned':
      return budgetWarned(state, event)
    case 'budget.exhausted':
      return budgetExhausted(state, event)

    case 'checkpoint.created':
      return { ...state, checkpoints: (state.checkpoints ?? 0) + 1, changed: undefined }
    case 'undo.requested':
      return { ...state, undo: { undo: event.data.undo, phase: 'wanted', to: event.data.to } }
    case 'undo.planned':
      return withUndo(state, event.data.undo, (undo) => ({ ...undo, phase: 'planned', digest: event.data.digest }))
    case 'undo.approved':
      return withUndo(state, event.data.undo, (undo) => ({ ...undo, phase: 'approved', digest: event.data.digest }))
    case 'undo.refused':
    case 'undo.dropped':
      return withUndo(state, event.data.undo, () => undefined)
    case 'checkpoint.restored':
      return { ...withUndo(state, event.data.undo, () => undefined), changed: leftAfter(state, event) }
    case 'draft.requested':
      return { ...state, draft: { draft: event.data.draft, phase: 'wanted' } }
    case 'draft.ready':
      return { ...state, ...shownBy(event) }
    case 'draft.reviewed':
      return withDraft(state, event.data.draft, (draft) => ({ ...draft, phase: 'reviewed' }))
    case 'draft.refused':
    case 'draft.resolved':
      return { ...withDraft(state, event.data.draft, () => undefined), changed: event.data.changed }
    case 'draft.dropped':
      return withDraft(state, event.data.draft, () => undefined)
    case 'terminal.taken':
      return { ...state, keyboard: { keyboard: event.data.keyboard, by: event.actor, since: event.at } }
    case 'terminal.released':
      return state.keyboard?.keyboard === event.data.keyboard ? { ...state, keyboard: undefined } : state

    case 'content.erased':
      // Of one subject nothing is kept here, and of output neither.
      return event.data.subject === undefined && event.data.kind === undefined
        ? { ...state, title: erasedTitle, erased: true }
        : state

    case 'workspace.prepared':
      return { ...state, isolation: event.data.isolation }

    default:
      return unchanged(state, event.type)
  }
}

/** `turn`: one that has its message and will begin. */
function withBegins(state: SessionState, turn: string | undefined): SessionState {
  return turn === state.begins ? state : { ...state, begins: turn }
}

function changed(state: SessionState, event: EventOf<'session.state_changed'>): SessionState {
  const { to, reason, exit, paused } = event.data
  const over = to === 'interrupted' || to === 'completed' || to === 'failed' || to === 'aborted'
  return {
    ...state,
    status: to,
    since: event.at,
    reason,
    exit: exit ?? (over ? state.exit : undefined),
    ...(to === 'paused' || state.paused === undefined ? {} : { paused: undefined }),
    ...(to === 'paused' && paused ? { paused } : {}),
    ...(over && state.keyboard ? { keyboard: undefined } : {}),
    ...(isLive(to) || state.policyMode === undefined ? {} : { policyMode: undefined }),
    ...(over && state.begins !== undefined ? { begins: undefined } : {}),
    ...(over ? { turn: undefined, pid: undefined, ending: undefined, controls: [], staleSince: undefined } : {}),
  }
}

/** What was wished for its edits has come, or somebody has said otherwise since. */
function withoutWish({ freeEdits }: SessionState): Partial<SessionState> {
  return freeEdits === undefined ? {} : { freeEdits: undefined }
}

function takenOver(state: SessionState, { data }: EventOf<'session.taken_over'>): SessionState {
  const { runner, fence } = data
  return {
    ...state,
    ...withoutWish(state),
    // Where it works there is not known yet.
    ...(state.isolation === undefined ? {} : { isolation: undefined }),
    runner,
    lease: { runner, fence },
    staleSince: undefined,
    resuming: state.status === 'interrupted',
    // It was said of the work on the other machine.
    ...(state.policyMode === undefined ? {} : { policyMode: undefined }),
    former: [...(state.former ?? []), ...(state.lease ? [state.lease] : [])].slice(-formerKept),
  }
}

function controlOf({ data }: EventOf<'control.requested'>): SessionState['controls'][number] {
  const { control, action, when, hard } = data
  return { control, action, ...(when === undefined ? {} : { when }), ...(hard === undefined ? {} : { hard }) }
}

function pausedBy({ data }: EventOf<'control.done'>): SessionState['paused'] {
  const { kind = 'frozen', reach, processes } = data
  return { kind, ...(reach === undefined ? {} : { reach }), ...(processes === undefined ? {} : { processes }) }
}

function unqueue(state: SessionState, message: string): SessionState {
  const queue = state.queue.filter((queued) => queued.message !== message)
  return queue.length === state.queue.length ? state : { ...state, queue }
}

/** Behind those that were hurried before, and before all others. */
function hurry(state: SessionState, message: string): SessionState {
  const queued = state.queue.find((waiting) => waiting.message === message)
  if (!queued) return state
  const others = state.queue.filter((waiting) => waiting !== queued)
  const place = others.findIndex((waiting) => waiting.hurried !== true)
  return { ...state, queue: others.toSpliced(place < 0 ? others.length : place, 0, { ...queued, hurried: true }) }
}

/** What the adapter told anew; what it left out stays as it was known. */
function profile(state: SessionState, { data }: EventOf<'session.profile_changed'>): SessionState {
  return {
    ...state,
    capabilities: data.capabilities ?? state.capabilities,
    mode: data.mode ?? state.mode,
    modes: data.modes ?? state.modes,
    model: data.model ?? state.model,
    pid: data.pid ?? state.pid,
    startedAt: data.startedAt ?? state.startedAt,
    ...(data.reach === undefined ? {} : { reach: data.reach }),
    ...(data.fence === undefined ? {} : { fence: data.fence }),
    native: data.native ?? state.native,
  }
}

function shownBy({ data }: EventOf<'draft.ready'>): Pick<SessionState, 'draft' | 'changed'> {
  const { draft, digest, files, waits, changed: left } = data
  return { draft: { draft, phase: 'ready', digest, files, ...(waits === true ? { waits } : {}) }, changed: left }
}

function withDraft(state: SessionState, draft: string, change: (draft: Draft) => Draft | undefined): SessionState {
  return state.draft?.draft === draft ? { ...state, draft: change(state.draft) } : state
}

/** Nothing is left of what went back to the start whole; of anything else nobody has counted. */
function leftAfter({ undo }: SessionState, { data }: EventOf<'checkpoint.restored'>): number | undefined {
  const isWhole = undo?.undo === data.undo && Object.keys(undo.to).length === 0 && data.kept === 0
  return isWhole ? 0 : undefined
}

function withUndo(state: SessionState, undo: string, change: (undo: Undo) => Undo | undefined): SessionState {
  return state.undo?.undo === undo ? { ...state, undo: change(state.undo) } : state
}

function withTexts(state: SessionState, texts: readonly string[] | undefined): SessionState {
  return texts === state.texts ? state : { ...state, texts }
}

/** A small set in the order of its making; the same object where nothing changes, and absent where it is empty. */
function including(open: readonly string[] = [], id: string): readonly string[] {
  return open.includes(id) ? open : [...open, id]
}

function without(open: readonly string[] | undefined, id: string): readonly string[] | undefined {
  if (!open?.includes(id)) return open
  const rest = open.filter((other) => other !== id)
  return rest.length === 0 ? undefined : rest
}
