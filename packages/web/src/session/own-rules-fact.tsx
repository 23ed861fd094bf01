import type { SessionState } from '@hotline/core/session/state'
import type { ReactNode } from 'react'
import { useAgents } from '../live/use-agents.ts'
import { OwnRules } from '../parts/own-rules.tsx'

/** What the agent of a session does not ask, because its own settings on that machine say so. */
export function OwnRulesFact({ state }: { state: SessionState }): ReactNode {
  const { agents = [] } = useAgents(true)
  const runner = state.lease?.runner ?? state.runner
  return <OwnRules rows={agents.filter((row) => row.agent === state.agent && row.runnerId === runner)} />
}
