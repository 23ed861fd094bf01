import { whyQueued } from '@hotline/client/why-queued'
import type { SessionState } from '@hotline/core/session/state'
import type { ReactNode } from 'react'
import { useAgents } from '../live/use-agents.ts'

/** Why a session that waits was not begun: nothing that is connected offers its agent, or can start it. */
export function WaitsForMachine({ state }: { state: SessionState }): ReactNode {
  const waits = state.status === 'queued'
  const { agents } = useAgents(waits, (now) => whyQueued(now, state) === undefined)
  const why = waits && agents ? whyQueued(agents, state) : undefined
  return why === undefined ? undefined : (
    <p className="notice" role="status">
      {why}
    </p>
  )
}
