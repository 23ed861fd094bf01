import type { CommandOf } from '@hotline/protocol/command'
import { isLive } from '@hotline/protocol/session-status'
import { accept, type Decision, refuse } from '../decision.ts'
import type { SessionState } from './state.ts'

/**
 * Going back has two steps: a person asks what it would do, the runner shows that under a digest, and a person wants
 * exactly that. Whoever asks anew lets go of what was shown before; what is being done is not interrupted.
 */
export function decideUndo(
  state: SessionState,
  command: CommandOf<'undo.plan' | 'undo.apply' | 'undo.drop'>,
): Decision {
  switch (command.type) {
    case 'undo.plan':
      return plan(state, command)
    case 'undo.apply':
      return apply(state, command)
    case 'undo.drop': {
      const { undo } = command.data
      if (state.undo?.undo !== undo) return refuse('invalid_transition', 'There is no such undo to let go of.')
      if (state.undo.phase === 'approved') return refuse('invalid_transition', 'The undo is under way.')
      return accept({ type: 'undo.dropped', subject: `undo:${undo}`, data: { undo } })
    }
  }
}

function plan(state: SessionState, { id, data }: CommandOf<'undo.plan'>): Decision {
  if (state.lease === undefined) return refuse('invalid_transition', 'No machine has worked on this session yet.')
  const { undo } = state
  if (undo?.phase === 'approved') return refuse('invalid_transition', 'An undo is under way.')
  const { checkpoint, step, turn } = data
  const to = {
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(step === undefined ? {} : { step }),
    ...(turn === undefined ? {} : { turn }),
  }
  const requested = { type: 'undo.requested', subject: `undo:${id}`, data: { undo: id, to } } as const
  if (!undo) return accept(requested)
  return accept({ type: 'undo.dropped', subject: `undo:${undo.undo}`, data: { undo: undo.undo } }, requested)
}

function apply(state: SessionState, { data }: CommandOf<'undo.apply'>): Decision {
  const { undo } = state
  if (undo?.undo !== data.undo) return refuse('invalid_transition', 'This undo is not open any more. Ask for it anew.')
  if (undo.phase !== 'planned') {
    return refuse('invalid_transition', undo.phase === 'approved' ? 'The undo is under way.' : 'It is not planned yet.')
  }
  if (undo.digest !== data.digest) {
    return refuse('digest_mismatch', 'This is not what was shown. Look at it again.', { digest: undo.digest ?? null })
  }
  const busy = whyBusy(state)
  if (busy !== undefined) return refuse('invalid_transition', busy)
  const body = {
    ...(data.also === undefined ? {} : { also: data.also }),
    ...(data.except === undefined ? {} : { except: data.except }),
  }
  return accept({
    type: 'undo.approved',
    subject: `undo:${data.undo}`,
    data: { undo: data.undo, digest: data.digest },
    body,
  })
}

/** Nothing is put back under the hands of an agent that is at work. */
export function whyBusy(state: SessionState): string | undefined {
  if (!isLive(state.status) || state.status === 'interrupted' || state.status === 'paused') return undefined
  if (state.status !== 'active') return `The session is ${state.status}; one cannot undo now.`
  if (state.turn !== undefined) return 'The agent is at work. Stop its turn first.'
  if (state.capabilities !== undefined && state.capabilities.input !== 'turns' && state.pid !== undefined) {
    return 'A program runs there. End the session first; it can be undone afterwards.'
  }
  return undefined
}
