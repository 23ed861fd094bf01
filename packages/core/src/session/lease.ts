import type { KnownDraft } from '@hotline/protocol/events'
import { accept, type Context, type Decision, refuse } from '../decision.ts'
import type { SessionState } from './state.ts'

/**
 * A runner takes a session: a queued one, an interrupted one that a person wants back, or its own again after it
 * restarted. Every take raises the fence, so whatever an earlier life of the runner still sends is refused.
 */
export function takeLease(state: SessionState, context: Context): Decision {
  const runner = context.actor.id
  const fence = (state.lease?.fence ?? 0) + 1
  const taken: KnownDraft = { type: 'session.lease_taken', data: { runner, fence } }
  if (state.runner !== undefined && state.runner !== runner) {
    return refuse('fenced', 'This session belongs to another runner.', { runner: state.runner })
  }
  switch (state.status) {
    case 'queued':
      return withFence(fence, taken, claimed('queued'))
    case 'interrupted':
      if (!state.resuming)
        return refuse('invalid_transition', 'Nobody has asked for this session to be taken up again.')
      return withFence(fence, taken, claimed('interrupted'))
    case 'starting':
    case 'active':
    case 'paused':
      return withFence(fence, taken)
    case 'completed':
    case 'failed':
    case 'aborted':
      return refuse('invalid_transition', `The session is ${state.status}; end what is left of its agent.`, {
        status: state.status,
      })
  }
}

function withFence(fence: number, ...events: KnownDraft[]): Decision {
  const decision = accept(...events)
  return decision.ok ? { ...decision, facts: { fence } } : decision
}

function claimed(from: 'queued' | 'interrupted'): KnownDraft {
  return { type: 'session.state_changed', data: { from, to: 'starting', reason: 'claimed' }, body: {} }
}
