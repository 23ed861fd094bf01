import type { KnownDraft } from '@hotline/protocol/events'
import { isLive, type SessionStatus } from '@hotline/protocol/session-status'
import { droppedDraft } from './decide-draft.ts'
import { awaitsReview, openApprovals, type SessionState } from './state.ts'

/** Closes every open approval and question: whoever asked is gone, so no answer could reach it. */
export function closeAsks(
  state: SessionState,
  reason: 'turn_ended' | 'session_ended' | 'agent_lost',
): readonly KnownDraft[] {
  return [
    ...[...openApprovals(state), ...(state.waiting ?? [])].map(({ approval }): KnownDraft => ({
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

/** Nobody waits any more for what people say of its changes. */
export function closeReview(state: SessionState): readonly KnownDraft[] {
  return state.draft && awaitsReview(state) ? [droppedDraft(state.draft.draft)] : []
}

/**
 * Closes everything that is still going on, because the agent is gone: in the log, each under its own subject, and not in
 * the fold of what people read. A window of long ago holds the step and not the end, and is brought up to date by the
 * later events of its subjects alone; from an end that names nobody it could not know. What waits for the agent goes on
 * waiting while the session can be taken up again.
 */
export function closeAll(
  state: SessionState,
  to: SessionStatus,
  saidBy: 'its runner' | 'a person',
): readonly KnownDraft[] {
  return [
    ...settleDecided(state, saidBy),
    ...closeAsks(state, isLive(to) ? 'agent_lost' : 'session_ended'),
    ...closeReview(state),
    ...(state.texts ?? []).map(breakOff),
    ...(state.steps ?? []).map(cancelStep),
    ...endTurn(state),
    ...state.controls.map((control): KnownDraft => answerControl(control, to === state.ending)),
    ...(isLive(to) ? [] : withdrawQueue(state)),
  ]
}

/**
 * What was decided and is not known to have been handed over. Its runner tells of each that it has handed over before it tells
 * of the end, so the others came too late; where a person ends it, nobody can say.
 */
function settleDecided({ approvals }: SessionState, saidBy: 'its runner' | 'a person'): readonly KnownDraft[] {
  return approvals.flatMap(({ approval, outcome }): KnownDraft[] => {
    if (outcome === undefined) return []
    const subject = `approval:${approval}`
    return saidBy === 'a person'
      ? [{ type: 'approval.dispatch_unknown', subject, data: { approval } }]
      : [{ type: 'approval.dispatch_refused', subject, data: { approval, reason: 'stale' } }]
  })
}

/** A text of which nothing more comes. Its words are in the pieces that were reported: the state has none of them. */
export function breakOff(subject: string): KnownDraft {
  const id = subject.slice(subject.indexOf(':') + 1)
  return subject.startsWith('thought:')
    ? { type: 'thought.broken_off', subject, data: { thought: id } }
    : { type: 'message.broken_off', subject, data: { message: id } }
}

/** A step whose end nobody told. */
export function cancelStep(step: string): KnownDraft {
  return { type: 'step.finished', subject: `step:${step}`, data: { step, outcome: 'cancelled' }, body: {} }
}

function endTurn({ turn, ending }: SessionState): readonly KnownDraft[] {
  if (!turn) return []
  const end = ending ? 'cancelled' : 'error'
  return [{ type: 'turn.ended', subject: `turn:${turn.turn}`, data: { turn: turn.turn, end }, body: {} }]
}

function answerControl({ control, action }: SessionState['controls'][number], isAsWanted: boolean): KnownDraft {
  const subject = `control:${control}`
  if (action === 'kill' && isAsWanted) return { type: 'control.done', subject, data: { control, action } }
  return { type: 'control.failed', subject, data: { control, action }, body: { reason: 'The agent is gone.' } }
}

function withdrawQueue({ queue }: SessionState): readonly KnownDraft[] {
  return queue.map(({ message }): KnownDraft => ({
    type: 'message.withdrawn',
    subject: `message:${message}`,
    data: { message, reason: 'session_ended' },
  }))
}
