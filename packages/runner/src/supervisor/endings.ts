import type { Report } from '@hotline/protocol/commands/agent'
import type { ChangeReason, Exit } from '@hotline/protocol/events/session'
import type { SessionStatus } from '@hotline/protocol/session-status'
import { type AdapterName, runsProgram } from '../adapters/adapter.ts'
import type { AutoEnd } from './auto-exit.ts'

/** How an agent's run came to its end, as far as this machine knows. */
export interface Ending {
  /** Undefined, or without code and signal, where nobody saw it end. */
  exit: Exit | undefined
  /** Why it was given up, where its end was ours. */
  fault?: string | undefined
  adapter: AdapterName
  /** Its profile ended it. */
  auto?: AutoEnd | undefined
  /** A person wanted it. */
  isKilled: boolean
  /** The runner is going down. */
  isStopping: boolean
}

/** What an end means for the session. What a person decided meanwhile, the server adds. */
export function endReport({ exit, fault, adapter, auto, isKilled, isStopping }: Ending): Report {
  if (isKilled) return stateReport('interrupted', 'agent_exited', { exit })
  if (auto) return stateReport('completed', auto.reason, { exit, note: auto.note })
  if (fault !== undefined) return stateReport('failed', 'adapter_error', { exit, note: fault })
  if (isStopping) {
    return stateReport('interrupted', 'agent_exited', { exit, note: 'The runner was stopped, and its agent with it.' })
  }
  if (exit === undefined || (exit.code === null && exit.signal === null)) {
    const note =
      exit === undefined
        ? 'The runner ended and was started again; its agent went with it.'
        : 'The keeper of the agent was ended, and the agent with it.'
    return stateReport('interrupted', 'agent_lost', { note })
  }
  // A program that ends by itself is finished; an agent that ends by itself is gone in the middle of something.
  if (runsProgram(adapter) && exit.signal === null) {
    return stateReport(exit.code === 0 ? 'completed' : 'failed', 'agent_exited', { exit })
  }
  return stateReport('interrupted', 'agent_exited', { exit })
}

/** A program by lines that ends well by itself has done what it was started for. */
export function goalReport({ exit, fault, adapter, auto, isKilled, isStopping }: Ending): Report | undefined {
  const isItsOwn = fault === undefined && auto === undefined && !isKilled && !isStopping
  if (adapter !== 'pipe' || !isItsOwn || exit?.code !== 0) return undefined
  return { type: 'goal.completed', data: { by: 'program' }, body: {} }
}

/** Where the agent stands now. Where it came from, the server knows better. */
export function stateReport(
  to: SessionStatus,
  reason: ChangeReason,
  more: { exit?: Exit | undefined; note?: string; paused?: Record<string, unknown> } = {},
): Report {
  const { exit, note, paused } = more
  return {
    type: 'session.state_changed',
    data: { from: 'active', to, reason, ...(exit === undefined ? {} : { exit }), ...(paused ? { paused } : {}) },
    body: note === undefined ? {} : { note },
  }
}
