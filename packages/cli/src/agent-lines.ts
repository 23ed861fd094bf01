import type { AgentRow } from '@hotline/protocol/http'
import { inLine } from './approval-card.ts'

/** One agent, and the names of the machines that say the same of it; none where it is this one that is looked at. */
export interface AgentGroup {
  row: Omit<AgentRow, 'runner' | 'runnerId'>
  machines: readonly string[]
}

const states: Record<NonNullable<AgentRow['state']>, string> = {
  ready: 'ready',
  signed_out: 'not signed in',
  not_installed: 'not installed',
  off: 'turned off',
  broken: 'profile wrong',
}

/** How things stand, what it is or what to do, and below it what it can do, where it can be started. */
export function agentText(groups: readonly AgentGroup[]): string {
  const widths = {
    state: Math.max(...groups.map(({ row: { state } }) => (state === undefined ? 0 : states[state].length))),
    version: Math.max(...groups.map(({ row: { version = '' } }) => version.length)),
  }
  return groups.map(({ row, machines }) => `${firstLine(row, machines, widths)}\n${abilities(row)}`).join('')
}

function firstLine(
  { agent, available, description, hint, state, version = '' }: AgentGroup['row'],
  machines: readonly string[],
  widths: { state: number; version: number },
): string {
  const said = state === 'signed_out' || !available ? (hint ?? 'not available') : description
  const where = machines.length === 0 ? '' : ` (on ${machines.map(inLine).join(', ')})`
  const columns = [
    inLine(agent).padEnd(16),
    ...(widths.state === 0 ? [] : [(state === undefined ? '' : states[state]).padEnd(widths.state)]),
    ...(widths.version === 0 ? [] : [inLine(version).padEnd(widths.version)]),
    `${inLine(said)}${where}`,
  ]
  return columns.join(' ')
}

const inputs: Record<string, string> = {
  turns: 'takes messages',
  keys: 'takes keys',
  lines: 'takes lines',
  none: 'is only watched',
}

function abilities({ available, can, fence }: AgentGroup['row']): string {
  if (!available || !can) return ''
  const words = [
    can.input === undefined ? undefined : inputs[can.input],
    can.verdicts === undefined
      ? undefined
      : can.verdicts.length === 0
        ? 'asks nobody'
        : `asks: ${can.verdicts.map((verdict) => (verdict === 'modify' ? 'edit and allow' : verdict)).join(', ')}`,
    can.steer === true ? 'reads while it works' : undefined,
    can.denyReason === true ? 'hears why' : undefined,
    can.questions === true ? 'has questions' : undefined,
    can.resume === true ? 'can be resumed' : undefined,
    fence === 'files' ? 'behind a fence' : undefined,
  ].filter((word) => word !== undefined)
  return words.length === 0 ? '' : `${' '.repeat(17)}${words.join(' · ')}\n`
}
