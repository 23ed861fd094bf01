import type { AgentRow } from '@hotline/protocol/http'

/**
 * Why a session that waits was not begun: nothing that is connected offers its agent, or can start it. Undefined where
 * somebody can. `agents`: what can be started now; `runner`: the only one that may begin it; `labels`: what that one has to have.
 */
export function whyQueued(
  agents: readonly AgentRow[],
  {
    agent: wanted,
    runner,
    labels = [],
  }: { agent: string; runner?: string | undefined; labels?: readonly string[] | undefined },
): string | undefined {
  if (agents.length === 0) return 'No machine is connected. It begins by itself as soon as one is.'
  const there = runner === undefined ? agents : agents.filter(({ runnerId }) => runnerId === runner)
  if (there.length === 0) return 'Its machine is not connected. It begins by itself as soon as it is.'
  const fitting = there.filter((row) => labels.every((label) => row.labels?.includes(label)))
  if (fitting.length === 0) {
    const words = `${labels.length === 1 ? 'the label' : 'the labels'} ${labels.join(', ')}`
    return runner === undefined
      ? `No connected machine has ${words}. It begins by itself as soon as one has.`
      : `Its machine does not have ${words}. It begins by itself as soon as it does.`
  }
  const offered = fitting.filter(({ agent }) => agent === wanted)
  if (offered.length === 0) {
    return runner === undefined
      ? `No connected machine offers “${wanted}”. It begins by itself as soon as one does.`
      : `Its machine does not offer “${wanted}”. It begins by itself as soon as it does.`
  }
  if (offered.some(({ available }) => available)) return undefined
  const hint = offered.find((row) => row.hint !== undefined)?.hint
  return `“${wanted}” cannot be started yet${hint === undefined ? '.' : `: ${hint}`}`
}
