import type { Link } from '@hotline/client/link'
import type { SessionList } from '@hotline/client/session-list'
import type { AgentRow } from '@hotline/protocol/http'
import { useEffect, useMemo, useState } from 'react'
import { legibleName } from '../text/legible.ts'
import { useReadable } from '@hotline/client/use-readable'

/** What agents and machines are called by people. */
export interface KnownNames {
  /** By the name of its profile. */
  agents: ReadonlyMap<string, string>
  /** By the id of its runner. */
  machines: ReadonlyMap<string, string>
}

const none: KnownNames = { agents: new Map(), machines: new Map() }

/** Read when there is contact, and again when a session names an agent or a machine that nobody knew until now. */
export function useKnownNames(link: Link, list: SessionList, here: boolean): KnownNames {
  const [known, setKnown] = useState(none)
  const { sessions } = useReadable(list.picture)
  const wanted = useMemo(
    () => [...new Set(sessions.flatMap(({ agent, runner }) => [agent, runner ?? '']))].toSorted().join(' '),
    [sessions],
  )
  useEffect(() => {
    if (!here) return undefined
    let left = false
    void link.request<{ agents: readonly AgentRow[] }>('GET', '/api/agents').then((answer) => {
      if (left || !answer.ok) return
      const { agents } = answer.value
      setKnown((before) => ({
        // What was known of a machine that is away now is still true.
        agents: new Map([...before.agents, ...agents.map(({ agent, name }) => [agent, legibleName(name)] as const)]),
        machines: new Map([
          ...before.machines,
          ...agents.map(({ runnerId, runner }) => [runnerId, legibleName(runner)] as const),
        ]),
      }))
    })
    return () => {
      left = true
    }
  }, [link, here, wanted])
  return known
}
