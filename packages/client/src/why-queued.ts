import type { AgentRow } from '@hotline/protocol/http'

/**
 * Why a session that waits was not begun: nothing that is connected offers its agent, or can start it. Undefined where
 * somebody can. `agents`: what can be started now.
 */
export function whyQueued(agents: readonly AgentRow[], wanted: string): string | undefined {
  if (agents.length === 0) return 'No machine is connected. It begins by itself as soon as one is.'
  const offered = agents.filter(({ agent }) => agent === wanted)
  if (offered.length === 0) return `No connected machine offers “${wanted}”. It begins by itself as soon as one does.`
  if (offered.some(({ available }) => available)) return undefined
  const hint = offered.find((row) => row.hint !== undefined)?.hint
  return `“${wanted}” cannot be started yet${hint === undefined ? '.' : `: ${hint}`}`
}
