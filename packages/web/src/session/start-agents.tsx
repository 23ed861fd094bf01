import type { AgentRow } from '@hotline/protocol/http'
import type { ReactNode } from 'react'
import { CopyButton } from '../parts/copy-button.tsx'
import { countText } from '../text/amounts.ts'

const states: Record<NonNullable<AgentRow['state']>, string> = {
  ready: '',
  signed_out: 'not signed in',
  not_installed: 'not installed',
  off: 'turned off',
  broken: 'profile wrong',
}

/** Everything that a session could be started with. The same agent on two machines is two things: it works in another's folders. */
export function AgentOptions({ agents }: { agents: readonly AgentRow[] }): ReactNode {
  const machines = machineNames(agents)
  if (agents.length === 0) return <option value="">No machine is connected yet</option>
  const options = (rows: readonly AgentRow[]): ReactNode =>
    rows.map((row) => (
      <option key={agentKey(row)} value={agentKey(row)} disabled={!row.available}>
        {labelOf(row)}
      </option>
    ))
  if (machines.size === 1) return options(agents)
  return [...machines].map(([id, name]) => (
    <optgroup key={id} label={name}>
      {options(agents.filter(({ runnerId }) => runnerId === id))}
    </optgroup>
  ))
}

/** What the chosen agent is, what it can do, and what to do first where it is not quite ready. */
export function ChosenAgent({ row }: { row: AgentRow }): ReactNode {
  const words = abilityWords(row)
  return (
    <>
      {row.description !== '' && <span>{row.description}</span>}
      {words !== '' && <span>{words}</span>}
      {row.state === 'signed_out' && row.hint !== undefined && (
        <span className="warned" role="status">
          {row.hint}
        </span>
      )}
    </>
  )
}

/** Agents that cannot be started as things stand, each with why and what to do about it. */
export function NotReady({ agents }: { agents: readonly AgentRow[] }): ReactNode {
  const machines = machineNames(agents)
  const rows = agents.filter(({ available }) => !available)
  if (rows.length === 0) return null
  return (
    <details className="not-ready">
      <summary>{countText(rows.length, 'agent')} not ready: what to do</summary>
      <ul>
        {rows.map((row) => {
          const command = /^Install it with: ([^,]+)/.exec(row.hint ?? '')?.[1]
          const where = machines.size > 1 ? ` on ${machines.get(row.runnerId) ?? ''}` : ''
          return (
            <li key={agentKey(row)}>
              <strong>{row.name}</strong>
              {`${where}, ${row.state === undefined ? 'not ready' : states[row.state]}. ${row.hint ?? ''} `}
              {command !== undefined && <CopyButton text={command} what={`command that installs ${row.name}`} />}
            </li>
          )
        })}
      </ul>
    </details>
  )
}

/** What tells this row from the others, also of another machine. */
export function agentKey({ agent, runnerId }: AgentRow): string {
  return `${runnerId} ${agent}`
}

function labelOf({ name, version, state, available }: AgentRow): string {
  const stands = state === undefined ? (available ? '' : 'not ready') : states[state]
  return `${name}${version === undefined ? '' : ` ${version}`}${stands === '' ? '' : ` (${stands})`}`
}

/** By their ids; two of the same name are told apart by these. */
function machineNames(agents: readonly AgentRow[]): ReadonlyMap<string, string> {
  const names = new Map(agents.map(({ runner, runnerId }) => [runnerId, runner]))
  const all = [...names.values()]
  return new Map(
    [...names].map(([id, name]) => [
      id,
      all.filter((one) => one === name).length > 1 ? `${name} (${id.slice(-8)})` : name,
    ]),
  )
}

function abilityWords({ can, asks }: AgentRow): string {
  if (asks === false) return 'A program: nobody is asked before it acts.'
  if (!can) return ''
  const verdicts = can.verdicts ?? []
  return [
    verdicts.length === 0 ? '' : 'It asks before it acts.',
    verdicts.includes('modify') ? 'What it asks for can be edited.' : '',
    can.resume === true ? 'It can be resumed.' : '',
    can.input === 'none' ? 'Nothing can be said to it after the start.' : '',
  ]
    .filter((word) => word !== '')
    .join(' ')
}
