import type { Machine } from '@hotline/core/queue/plan-queue'
import { parseCommand } from '@hotline/protocol/command'
import type { AgentRow, AnnounceBody } from '@hotline/protocol/http'
import type { Connection, Connections } from '../gate/connections.ts'
import type { Bus } from '../log/bus.ts'
import { damageOf } from '../log/store-unavailable.ts'
import { timestamp } from '../machine/clock.ts'
import { systemPrincipal, type TimerPorts } from './approval-timer.ts'

/** How long a runner may be away before its sessions are shown as out of contact. */
const graceMs = 3_000

/** What a runner said of itself last. Told again at each connect, so it need not be stored. */
interface Announced extends Pick<AnnounceBody, 'name' | 'agents' | 'sessionsMax' | 'labels'> {}

/** Which machines there are, what they can start, and which sessions are out of contact. */
export interface Runners extends Disposable {
  announce(runner: string, body: AnnounceBody): Promise<void>
  /** What can be started now, with why not. */
  agents(): readonly AgentRow[]
  /** Those that are connected and have said what they are. */
  machines(): readonly Machine[]
}

/** Events after which a runner that holds nothing of a session may have something to do for it. */
const givesWork = ['session.created', 'session.taken_over', 'control.requested', 'undo.requested', 'undo.approved']

/**
 * Which machines are here. A connection that goes away starts a short grace; after it the runner's live sessions are
 * marked as out of contact since then, and nothing else about them changes. Work that waits is only hinted at: the
 * runner reads the list itself.
 */
export function watchRunners(
  ports: TimerPorts & {
    connections: Connections
    bus: Bus
    /** Called when a machine has said what it is. */
    announced: () => void
  },
): Runners {
  const { exchange, lists, bus, clock, ids, connections, fault } = ports
  const announced = new Map<string, Announced>()
  const graces = new Map<string, () => void>()

  async function tell(session: string, type: 'contact.lose' | 'contact.restore', data: object): Promise<void> {
    const parsed = parseCommand({ id: ids.uuid(), stream: `session:${session}`, type, data })
    if ('command' in parsed) await exchange.command(systemPrincipal, parsed.command)
  }

  /** One that is damaged keeps nobody from the others. */
  async function isHeldBy(runner: string, session: string): Promise<boolean> {
    try {
      const standing = await exchange.snapshot(`session:${session}`)
      return standing?.state.kind === 'session' && standing.state.runner === runner
    } catch (error) {
      if (!damageOf(error)) throw error
      fault(error)
      return false
    }
  }

  async function markAway(runner: string, since: string): Promise<void> {
    for (const { session } of await lists.heldSessions(runner)) {
      // It may come back while this goes on; what it says then must not be followed by what was true before.
      if (connections.countOf({ kind: 'runner', id: runner }) > 0) return
      await tell(session, 'contact.lose', { since })
    }
  }

  /** A connection that was cut off for its silence was lost when it was last heard, not when that was noticed. */
  function startGrace(runner: string, silentMs = 0): void {
    const since = timestamp({ ...clock, wallMs: () => clock.wallMs() - silentMs })
    graces.get(runner)?.()
    graces.set(
      runner,
      clock.after(graceMs, () => {
        graces.delete(runner)
        if (connections.countOf({ kind: 'runner', id: runner }) === 0) markAway(runner, since).catch(fault)
      }),
    )
  }

  function changed({ principal, silentMs }: Connection, change: 'opened' | 'closed'): void {
    if (principal.kind !== 'runner') return
    if (change === 'closed') {
      if (connections.countOf(principal) === 0) startGrace(principal.id, silentMs)
      return
    }
    graces.get(principal.id)?.()
    graces.delete(principal.id)
  }

  /** After a start of the server: whoever held sessions has the grace to come back. */
  async function graceForAll(): Promise<void> {
    const projects = (await lists.projects()).map(({ project }) => project)
    const statuses = ['starting', 'active', 'paused']
    const page = await lists.sessions({ projects, statuses, limit: 1_000 })
    const holders = new Set(page.sessions.flatMap(({ runner }) => (runner === null ? [] : [runner])))
    for (const runner of holders) if (connections.countOf({ kind: 'runner', id: runner }) === 0) startGrace(runner)
  }

  const leaveConnections = connections.watch(changed)
  const leaveBus = bus.subscribe(({ events }) => {
    if (!events.some(({ type }) => givesWork.includes(type))) return
    for (const connection of connections.of('runner')) connection.whisper({ kind: 'work' })
  })
  graceForAll().catch(fault)

  return {
    announce: async (runner, body) => {
      const { name, agents, sessionsMax, labels } = body
      announced.set(runner, { name, agents, sessionsMax, labels })
      ports.announced()
      for (const { session } of body.holds) {
        // What was taken over from it is somebody else's to be in contact with.
        if (await isHeldBy(runner, session)) await tell(session, 'contact.restore', {})
      }
    },
    agents: () =>
      connections.of('runner').flatMap(({ principal }) => {
        const { name, agents, labels = [] } = announced.get(principal.id) ?? { name: '', agents: [] }
        const of = { runner: name, runnerId: principal.id, ...(labels.length === 0 ? {} : { labels }) }
        return agents.map((agent) => ({ ...agent, ...of }))
      }),
    machines: () =>
      connections.of('runner').flatMap(({ principal }): Machine[] => {
        const known = announced.get(principal.id)
        if (!known) return []
        const { agents, labels, sessionsMax = Number.POSITIVE_INFINITY } = known
        const offered = new Map(agents.map((agent) => [agent.agent, agent.sessionsMax]))
        return [{ runner: principal.id, projects: principal.projects, sessionsMax, agents: offered, labels }]
      }),
    [Symbol.dispose]: () => {
      leaveConnections()
      leaveBus()
      for (const cancel of graces.values()) cancel()
    },
  }
}
