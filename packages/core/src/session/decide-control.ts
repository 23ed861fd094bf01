import type { CommandOf } from '@hotline/protocol/command'
import type { KnownDraft } from '@hotline/protocol/events'
import type { ControlAction, PauseMoment } from '@hotline/protocol/events/control'
import { usedWords } from '../budget-words.ts'
import { isLive } from '@hotline/protocol/session-status'
import { accept, type Decision, refuse } from '../decision.ts'
import { closeAll } from './close-open.ts'
import { type SessionState, turnOf } from './state.ts'

type ControlCommand = CommandOf<
  | 'session.pause'
  | 'session.resume'
  | 'session.interrupt'
  | 'session.abort'
  | 'session.complete'
  | 'session.set_mode'
  | 'session.set_budget'
>

/**
 * People steer the agent. Where an agent is at work this asks its runner (`control.requested`) and the state changes when
 * the runner reports that it is done; where nothing runs, or nobody can be asked, the state changes at once.
 */
export function decideControl(state: SessionState, command: ControlCommand): Decision {
  switch (command.type) {
    case 'session.pause':
      return pause(state, command.id, command.data)
    case 'session.resume':
      if (state.status === 'paused' && state.exhausted) {
        const why = `The budget is used up: ${usedWords(state.exhausted)}. Give it more, and it goes on.`
        return refuse('invalid_transition', why, { status: state.status })
      }
      if (state.status === 'paused' || waitsToPause(state)) return ask(state, command.id, 'resume')
      if (state.status !== 'interrupted') return notNow(state, 'resume')
      if (!state.capabilities?.resume) {
        return refuse('unsupported', 'This agent keeps no session that could be taken up again. Start a new one.')
      }
      return ask(state, command.id, 'resume')
    case 'session.interrupt':
      if (state.status !== 'active' || !state.turn) return notNow(state, 'stop a turn')
      if (!state.capabilities?.interrupt)
        return refuse('unsupported', 'This agent cannot be stopped in the middle of a turn.')
      return interrupt(state, command.id, command.data)
    case 'session.set_mode': {
      if (state.status !== 'active') return notNow(state, 'change the mode')
      const known = state.modes?.map(({ id }) => id) ?? []
      if (!known.includes(command.data.mode)) {
        return refuse(
          'unsupported',
          `This agent has no mode "${command.data.mode}". It has: ${known.join(', ') || 'none'}.`,
        )
      }
      return accept(requested(command.id, 'set_mode', { mode: command.data.mode }))
    }
    case 'session.set_budget':
      return setBudget(state, command.data.budget)
    case 'session.abort':
      return end(state, command.id, 'aborted', command.data.reason)
    case 'session.complete': {
      if (state.status !== 'active') return notNow(state, 'complete')
      const goal: KnownDraft = {
        type: 'goal.completed',
        data: { by: 'person' },
        body: command.data.summary === undefined ? {} : { summary: command.data.summary },
      }
      const ended = end(state, command.id, 'completed')
      return ended.ok ? accept(goal, ...ended.events) : ended
    }
  }
}

/** An agent that is only held can still be frozen; one that is to be held at its next step too. */
function pause(
  state: SessionState,
  control: string,
  { when = 'now', reason }: CommandOf<'session.pause'>['data'],
): Decision {
  const isHeld = state.status === 'paused' && state.paused?.kind === 'held'
  if (state.ending || !(state.status === 'active' || (isHeld && when === 'now'))) return notNow(state, 'pause')
  if (state.capabilities?.pause !== 'signal') return refuse('unsupported', 'This agent cannot be paused.')
  if (when === 'next_step' && state.capabilities.input !== 'turns') {
    return refuse('unsupported', 'Nobody can tell where a step of this program ends. It can be frozen now.')
  }
  const isAsked = state.controls.some(
    (open) => open.action === 'pause' && (open.when !== 'next_step' || when !== 'now'),
  )
  if (isAsked) return refuse('invalid_transition', '"pause" was asked for already and is under way.')
  return accept(requested(control, 'pause', when === 'now' ? {} : { when }, reason))
}

/** What is said here counts from now on; the runner holds the agent, or lets it go on, when it reads it. */
function setBudget(state: SessionState, change: CommandOf<'session.set_budget'>['data']['budget']): Decision {
  if (!isLive(state.status) || state.ending) return notNow(state, 'change the budget of')
  const budget = Object.fromEntries(
    Object.entries({ ...state.budget, ...change }).filter(([, limit]) => limit !== null && limit !== undefined),
  )
  return accept({ type: 'budget.changed', data: { budget } })
}

/** It works on until its next step, where it will be held. */
function waitsToPause({ status, controls }: SessionState): boolean {
  return status === 'active' && controls.some(({ action, when }) => action === 'pause' && when === 'next_step')
}

/**
 * A session that is there for one turn completes when its agent has come to the end of it and nothing waits. Where a turn ended in
 * another way it stays: somebody may say what to do.
 */
export function endByItself(
  state: SessionState,
  events: readonly KnownDraft[],
  command: string,
): readonly KnownDraft[] {
  const isEnd = events.some((event) => event.type === 'turn.ended' && event.data.end === 'end')
  const isReady = state.endsAfter === 'turn' && state.status === 'active' && state.ending === undefined
  if (!isEnd || !isReady || state.queue.length > 0 || turnOf(state) !== 'idle') return []
  const ended = end(state, `end-${command}`.slice(0, 64), 'completed')
  return ended.ok ? ended.events.map((event) => ({ ...event, actor: { kind: 'system' as const, id: 'server' } })) : []
}

function end(state: SessionState, control: string, ending: 'aborted' | 'completed', reason?: string): Decision {
  if (state.status === 'completed' || state.status === 'failed' || state.status === 'aborted')
    return notNow(state, 'end')
  const held = state.lease !== undefined && state.status !== 'queued' && state.status !== 'interrupted'
  if (held && state.staleSince === undefined) {
    if (state.ending) return refuse('invalid_transition', 'The session is ending already.')
    return accept(requested(control, 'kill', { ending }, reason))
  }
  // Nothing runs, or its machine is out of contact: the person's word counts now, and the runner ends what is left when
  // it comes back and reads this.
  return accept(...closeAll(state, ending, 'a person'), {
    type: 'session.state_changed',
    data: { from: state.status, to: ending, reason: 'requested' },
    body: reason === undefined ? {} : { note: reason },
  })
}

/** Where it is being stopped already, it can still be stopped harder. */
function interrupt(
  state: SessionState,
  control: string,
  { hard, reason }: CommandOf<'session.interrupt'>['data'],
): Decision {
  const isAsked = state.controls.some((open) => open.action === 'interrupt' && (!hard || open.hard === true))
  if (isAsked) return refuse('invalid_transition', '"interrupt" was asked for already and is under way.')
  return accept(requested(control, 'interrupt', hard ? { hard } : {}, reason))
}

function ask(state: SessionState, control: string, action: ControlAction, reason?: string): Decision {
  if (state.controls.some((open) => open.action === action)) {
    return refuse('invalid_transition', `"${action}" was asked for already and is under way.`)
  }
  return accept(requested(control, action, {}, reason))
}

function requested(
  control: string,
  action: ControlAction,
  facts: { mode?: string; hard?: boolean; ending?: 'aborted' | 'completed'; when?: PauseMoment },
  reason?: string,
): KnownDraft {
  return {
    type: 'control.requested',
    subject: `control:${control}`,
    data: { control, action, ...facts },
    body: reason === undefined ? {} : { reason },
  }
}

function notNow(state: SessionState, what: string): Decision {
  return refuse(
    'invalid_transition',
    `The session is ${state.ending ? 'ending' : state.status}; one cannot ${what} it now.`,
    {
      status: state.status,
    },
  )
}
