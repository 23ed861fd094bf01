import type { AgentRow } from '@hotline/protocol/http'
import { isTypedTo } from '@hotline/protocol/capabilities'
import type { SessionState } from '@hotline/core/session/state'

/** A machine that a session can go on upon. */
export interface OtherMachine {
  runner: string
  name: string
}

/**
 * The machines that could take a session over, because its own is silent; undefined where there is nothing to take over: it
 * is in contact, is over, or runs a program. `agents`: what can be started now.
 */
export function whoTakesOver(agents: readonly AgentRow[], state: SessionState): readonly OtherMachine[] | undefined {
  if (!isSilent(agents, state) || isTypedTo(state.capabilities) || state.capabilities?.input === 'none')
    return undefined
  return agents
    .filter(({ agent, available, runnerId }) => agent === state.agent && available && runnerId !== state.runner)
    .map(({ runner, runnerId }) => ({ runner: runnerId, name: runner }))
}

function isSilent(agents: readonly AgentRow[], { status, staleSince, runner }: SessionState): boolean {
  switch (status) {
    case 'starting':
    case 'active':
    case 'paused':
      return staleSince !== undefined
    // Nobody speaks for it; whether its machine is there shows in what can be started.
    case 'queued':
    case 'interrupted':
      return runner !== undefined && !agents.some(({ runnerId }) => runnerId === runner)
    case 'completed':
    case 'failed':
    case 'aborted':
      return false
  }
}
