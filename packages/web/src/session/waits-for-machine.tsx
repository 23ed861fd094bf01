import type { SessionState } from '@hotline/core/session/state'
import type { AgentRow } from '@hotline/protocol/http'
import type { ReactNode } from 'react'
import { useAgents } from '../live/use-agents.ts'

/** Why a session that waits was not begun: nothing that is connected offers its agent, or can start it. */
export function WaitsForMachine({ state }: { state: SessionState }): ReactNode {
  const waits = state.status === 'queued'
  const { agents } = useAgents(waits, (now) => now.some((row) => row.agent === state.agent && row.available))
  const why = waits && agents ? whyNot(agents, state.agent) : undefined
  return why === undefined ? undefined : (
    <p className="notice" role="status">
      {why}
    </p>
  )
}

function whyNot(agents: readonly AgentRow[], wanted: string): string | undefined {
  if (agents.length === 0) return 'No machine is connected. It begins by itself as soon as one is.'
  const offered = agents.filter(({ agent }) => agent === wanted)
  if (offered.length === 0) return `No connected machine offers “${wanted}”. It begins by itself as soon as one does.`
  if (offered.some(({ available }) => available)) return undefined
  const hint = offered.find((row) => row.hint !== undefined)?.hint
  return `“${wanted}” cannot be started yet${hint === undefined ? '.' : `: ${hint}`}`
}
