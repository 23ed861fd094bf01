import type { AgentRow } from '@hotline/protocol/http'

/**
 * Why a session that waits was not begun: nothing that is connected offers its agent, or can start it. Undefined where
 * somebody can. `agents`: what can be started now; `runner`: the only one that may begin it.
 */
export function whyQueued(
  agents: readonly AgentRow[],
  { agent: wanted, runner }: { agent: string; runner?: string | undefined },
): string | undefined {
  if (agents.length === 0) return 'No machine is connected. It begins by itself as soon as one is.'
  const there = runner === undefined ? agents : agents.filter(({ runnerId }) => runnerId === runner)
  if (there.length === 0) return 'Its machine is not connected. It begins by itself as soon as it is.'
  const offered = there.filter(({ agent }) => agent === wanted)
  if (offered.length === 0) {
    return runner === undefined
      ? `No connected machine offers “${wanted}”. It begins by itself as soon as one does.`
      : `Its machine does not offer “${wanted}”. It begins by itself as soon as it does.`
  }
  if (offered.some(({ available }) => available)) return undefined
  const hint = offered.find((row) => row.hint !== undefined)?.hint
  return `“${wanted}” cannot be started yet${hint === undefined ? '.' : `: ${hint}`}`
}
