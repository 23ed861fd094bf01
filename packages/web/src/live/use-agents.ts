import type { AgentRow } from '@hotline/protocol/http'
import { useCallback, useEffect, useState } from 'react'
import { useLive } from './hotline.tsx'

/** Until there is what is wanted it is asked again: a machine that connects is seen without a reload. */
const againMs = 5_000

/** What can be started now; undefined until that is known. Read while `wanted`, again and again until it is `enough`. */
export function useAgents(
  wanted: boolean,
  enough: (agents: readonly AgentRow[]) => boolean = (now) => now.length > 0,
): { agents: readonly AgentRow[] | undefined; look: () => void } {
  const { link, contact } = useLive()
  const [agents, setAgents] = useState<readonly AgentRow[]>()
  const read = useCallback(async () => {
    const answer = await link.request<{ agents: AgentRow[] }>('GET', '/api/agents')
    if (answer.ok) setAgents(answer.value.agents)
  }, [link])
  const none = agents === undefined || !enough(agents)
  useEffect(() => {
    if (!wanted || !contact.here) return undefined
    void read()
    if (!none) return undefined
    const timer = setInterval(() => void read(), againMs)
    return () => clearInterval(timer)
  }, [wanted, contact.here, none, read])
  return { agents, look: () => void read() }
}
