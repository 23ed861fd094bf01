import { queueSentence } from '@hotline/client/queue-words'
import { whyQueued } from '@hotline/client/why-queued'
import type { SessionState } from '@hotline/core/session/state'
import type { ReactNode } from 'react'
import { useLive } from '../live/hotline.tsx'
import { useAgents } from '../live/use-agents.ts'
import { useReadable } from '@hotline/client/use-readable'

/**
 * Why a session that waits was not begun: nothing that is connected offers its agent, or can start it, or others are before
 * it.
 */
export function WaitsForMachine({ state }: { state: SessionState }): ReactNode {
  const { list } = useLive()
  const waits = state.status === 'queued'
  const { agents } = useAgents(waits, (now) => whyQueued(now, state) === undefined)
  const place = useReadable(list.picture).queue.get(state.session)
  const why = waits && agents ? (whyQueued(agents, state) ?? (place && queueSentence(place))) : undefined
  return why === undefined ? undefined : (
    <p className="notice behind" role="status">
      {why}
    </p>
  )
}
