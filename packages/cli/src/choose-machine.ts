import type { AgentRow } from '@hotline/protocol/http'
import type { AgentGroup } from './agent-lines.ts'
import { inLine } from './approval-card.ts'
import { fail } from './failure.ts'
import { namedBy } from './find-id.ts'

/** A machine that is connected: what `session.start` calls it, and what people do. */
interface Machine {
  runner: string
  name: string
}

/** Where a session shall be started, and whether that is this machine: only then folders of here mean something there. */
export interface Place {
  runner: string
  isHere: boolean
}

/**
 * The runner that shall begin a session. `here`: that of this data directory; `on`: the name or id of one, or the beginning
 * of either. Nothing is ever left to whichever machine comes first. Here may be away while no other machine is connected:
 * then the session waits for it. Throws a `Failure` that names the machines.
 */
export function chooseMachine(agents: readonly AgentRow[], here: string | undefined, on: string | undefined): Place {
  const machines = machinesOf(agents)
  if (on !== undefined) {
    const { runner } = namedMachine(machines, on)
    return { runner, isHere: runner === here }
  }
  if (here !== undefined && (machines.length === 0 || machines.some(({ runner }) => runner === here))) {
    return { runner: here, isHere: true }
  }
  const why = here === undefined ? 'This machine runs no agents for this server' : 'This machine is not connected'
  throw fail('not_found', `${why}. ${whatElse(machines)}`)
}

/** Each agent once, with the machines that say the same of it; those that can be started come as they were announced. */
export function agentGroups(agents: readonly AgentRow[]): readonly AgentGroup[] {
  const machines = machinesOf(agents)
  const groups = Map.groupBy(agents, (row) => JSON.stringify({ ...row, runner: undefined, runnerId: undefined }))
  return [...groups.values()].flatMap((rows) => {
    const [row] = rows
    if (!row) return []
    const names = rows.map(({ runnerId }) => machines.find(({ runner }) => runner === runnerId)?.name ?? runnerId)
    return [{ row, machines: names }]
  })
}

/** Two of the same name are told apart by their ids. */
function machinesOf(agents: readonly AgentRow[]): readonly Machine[] {
  const names = new Map(agents.map(({ runner, runnerId }) => [runnerId, runner]))
  const all = [...names.values()]
  return [...names].map(([runner, name]) => ({
    runner,
    name: all.filter((other) => other === name).length > 1 ? `${name} ${runner}` : name,
  }))
}

function namedMachine(machines: readonly Machine[], text: string): Machine {
  const exact = machines.filter(({ runner, name }) => text !== '' && (name === text || runner === text))
  const byName = text === '' ? [] : machines.filter(({ name }) => name.startsWith(text))
  const fitting =
    exact.length > 0 ? exact : byName.length > 0 ? byName : namedBy(text, machines, ({ runner }) => runner)
  const [only, another] = fitting
  if (!only) throw fail('not_found', `No machine "${text}" is connected. ${whatElse(machines)}`)
  if (another) throw fail('invalid_request', `Several machines are called "${text}". ${whatElse(fitting)}`)
  return only
}

function whatElse(machines: readonly Machine[]): string {
  if (machines.length === 0) return 'No machine is. Start one with: hotline up'
  return `Choose one with --on: ${machines.map(({ name }) => inLine(name)).join(', ')}`
}
