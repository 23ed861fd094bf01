import type { TaskSession, TaskSessionPhase } from '@hotline/protocol/task'
import { type SessionState, turnOf } from '../session/state.ts'

/** What a session's card is told of it. */
export function taskSessionOf(state: SessionState): TaskSession {
  const { session, agent, changed = 0, draft } = state
  return { session, agent, phase: phaseOf(state), changes: changed > 0 || draft?.phase === 'ready' }
}

function phaseOf(state: SessionState): TaskSessionPhase {
  switch (state.status) {
    case 'queued':
    case 'completed':
    case 'failed':
    case 'aborted':
      return state.status
    case 'active':
      return turnOf(state) === 'idle' && state.queue.length === 0 ? 'at_rest' : 'at_work'
    case 'starting':
    case 'paused':
    case 'interrupted':
      return 'at_work'
  }
}
