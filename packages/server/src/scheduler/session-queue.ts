import {
  type Busy,
  expectedWait,
  type Machine,
  type Planned,
  planQueue,
  type Waiting,
} from '@hotline/core/queue/plan-queue'
import { asKnown } from '@hotline/protocol/known-event'
import type { Envelope } from '@hotline/protocol/event'
import { type Problem, problem } from '@hotline/protocol/error'
import { type QueuePlace, type QueueReason, queuePlacesMax } from '@hotline/protocol/queue'
import { splitStream } from '@hotline/protocol/stream'
import type { Principal } from '../access/principal.ts'
import type { Connection, Connections } from '../gate/connections.ts'
import type { Bus } from '../log/bus.ts'
import type { Lists } from '../log/lists.ts'
import { readEvent } from '../log/read-event.ts'
import { damageOf } from '../log/store-unavailable.ts'
import type { Clock } from '../machine/clock.ts'
import { Turns } from '../machine/turns.ts'
import type { Exchange } from '../session/exchange.ts'

/** What changes together is told together. */
const tellAfterMs = 300
/** Sessions that wait, as far as they are looked at: those behind get their turn when some of these have begun. */
const waitingMax = 1_000
/** Of each agent so many sessions say how long one is at work, the latest. */
const measuredMax = 50
/** Sessions at work whose beginning is known. */
const begunMax = 5_000

/** The sessions that wait for a machine, in the order in which they will begin. */
export interface SessionQueue extends Disposable {
  /** Those that this runner may begin now, in their order. */
  workFor(runner: Principal): Promise<readonly { session: string; status: string; runner: string | null }[]>
  /**
   * Waits until nobody else begins one, and says why this runner may not begin this one now. The answer is to be left when
   * it has begun.
   */
  turnToBegin(runner: Principal, session: string): Promise<{ refusal: Problem | undefined; leave: () => void }>
  /** Those of some projects, as people see them. */
  places(projects: readonly string[]): Promise<readonly QueuePlace[]>
  /** Calls with what waits in a project, and again whenever that changes; the answer ends it. */
  watch(project: string, hear: (places: readonly QueuePlace[]) => void): () => void
  /** What machines there are, or how much they take, is another than before. */
  changed(): void
  /** Somebody follows a stream: of a project they are told what waits in it, whenever that changes. */
  joined(stream: string, connection: Connection): void
  left(stream: string, connection: Connection): void
}

/** What it needs of the server. */
export interface SessionQueuePorts {
  exchange: Pick<Exchange, 'snapshot'>
  lists: Pick<Lists, 'queuedSessions' | 'busySessions'>
  connections: Connections
  /** What runners have said of themselves, of those that are connected. */
  machines: () => readonly Machine[]
  bus: Bus
  clock: Clock
  fault: (error: unknown) => void
}

/**
 * Who begins next: by the order of `planQueue`, within what each machine, each agent on it and each project takes at once. It
 * is worked out anew from the lists each time, so a server that was away goes on where it was; only how long sessions were at
 * work is kept in memory. Where nothing sets a limit, nothing waits for anything but a machine.
 */
export function openSessionQueue(ports: SessionQueuePorts): SessionQueue {
  const { exchange, lists, connections, bus, clock, fault } = ports
  const turns = new Turns()
  const measured = measureWork(ports)
  /** What each who follows a project's stream was told last, as JSON. */
  const audiences = new Map<string, Map<Connection, string>>()
  const watchers = new Map<(places: readonly QueuePlace[]) => void, string>()
  const asked = new Map<string, readonly string[] | undefined>()
  let cancel: (() => void) | undefined
  let isClosed = false

  /** `also`: a runner that is not among those that have said what they are. */
  async function plan(also?: Principal): Promise<{ waiting: readonly Waiting[]; planned: readonly Planned[] }> {
    const rows = await lists.queuedSessions(waitingMax)
    if (rows.length === 0) return { waiting: [], planned: [] }
    const busy: readonly Busy[] = await lists.busySessions()
    const limits = new Map<string, number | undefined>()
    for (const { project } of rows) if (!limits.has(project)) limits.set(project, await limitOf(project))
    const wanted = await labelsOf(rows.map(({ session }) => session))
    const waiting = rows.map(({ session, project, agent, runner, priority, created_at }): Waiting => ({
      session,
      project,
      agent,
      runner,
      labels: wanted.get(session),
      priority: priority ?? 'normal',
      sinceMs: Date.parse(created_at),
    }))
    const machines = [...ports.machines()]
    if (also && !machines.some(({ runner }) => runner === also.id))
      machines.push({ runner: also.id, projects: also.projects, sessionsMax: Number.POSITIVE_INFINITY })
    return { waiting, planned: planQueue(waiting, { machines, busy, projectMax: (project) => limits.get(project) }) }
  }

  /** What sessions ask of a machine. It is said once, at their start, so it is read once while they wait. */
  async function labelsOf(sessions: readonly string[]): Promise<ReadonlyMap<string, readonly string[] | undefined>> {
    const read = await Promise.all(
      sessions
        .filter((session) => !asked.has(session))
        .map(async (session) => [session, await askedBy(session)] as const),
    )
    for (const [session, labels] of read) asked.set(session, labels)
    const waiting = new Set(sessions)
    for (const session of asked.keys()) if (!waiting.has(session)) asked.delete(session)
    return asked
  }

  /** Of one that is damaged nobody knows; it begins nowhere, and keeps no other from its turn. */
  async function askedBy(session: string): Promise<readonly string[] | undefined> {
    try {
      const now = await exchange.snapshot(`session:${session}`)
      return now?.state.kind === 'session' ? now.state.labels : undefined
    } catch (error) {
      if (!damageOf(error)) throw error
      return undefined
    }
  }

  async function limitOf(project: string): Promise<number | undefined> {
    const now = await exchange.snapshot(`project:${project}`)
    return now?.state.kind === 'project' ? now.state.sessionsMax : undefined
  }

  async function places(projects: readonly string[]): Promise<readonly QueuePlace[]> {
    const { waiting, planned } = await plan()
    const facts = new Map(waiting.map((one) => [one.session, one]))
    return planned.flatMap((one): QueuePlace[] => {
      const fact = facts.get(one.session)
      if (!fact || !projects.includes(fact.project)) return []
      const { session, project, agent, priority, sinceMs } = fact
      const since = new Date(sinceMs).toISOString()
      const why = one.why ?? 'starting'
      const wait = one.why === undefined ? undefined : expectedWait(one, measured.of(agent))
      return [{ session, project, agent, priority, since, why, position: one.position ?? null, wait: wait ?? null }]
    })
  }

  function tellSoon(): void {
    if (isClosed) return
    cancel ??= clock.after(tellAfterMs, () => {
      cancel = undefined
      tell().catch(fault)
    })
  }

  async function tell(): Promise<void> {
    const { planned } = await plan()
    const wanted = new Set(planned.flatMap(({ admitted }) => admitted))
    for (const connection of connections.of('runner'))
      if (wanted.has(connection.principal.id)) connection.whisper({ kind: 'work' })
    if (audiences.size + watchers.size === 0) return
    const projects = new Set([...[...audiences.keys()].map((stream) => splitStream(stream).id), ...watchers.values()])
    const all = await places([...projects])
    for (const [hear, project] of watchers) hear(all.filter((place) => place.project === project))
    for (const [stream, audience] of audiences) {
      const own = all.filter(({ project }) => stream === `project:${project}`).slice(0, queuePlacesMax)
      const told = JSON.stringify(own)
      for (const [connection, before] of audience) {
        // Nobody who begins to follow needs to hear that nothing waits.
        if (before === told || (before === '' && own.length === 0)) continue
        if (connection.whisper({ kind: 'queue', stream, queue: own })) audience.set(connection, told)
        else tellSoon()
      }
    }
  }

  const leave = bus.subscribe(({ events }) => {
    if (events.some(({ type }) => changesQueue.has(type))) tellSoon()
  })
  const leaveConnections = connections.watch(({ principal }) => {
    if (principal.kind === 'runner') tellSoon()
  })

  return {
    workFor: async (runner) => {
      const { waiting, planned } = await plan(runner)
      const own = new Map(waiting.map((one) => [one.session, one.runner]))
      return planned
        .filter(({ admitted }) => admitted.includes(runner.id))
        .map(({ session }) => ({ session, status: 'queued', runner: own.get(session) ?? null }))
    },
    turnToBegin: async (runner, session) => {
      const leaveTurn = await turns.take()
      try {
        const { planned } = await plan(runner)
        const one = planned.find((row) => row.session === session)
        // What the lists do not have as waiting is judged by its own state.
        const mayBegin = !one || one.admitted.includes(runner.id)
        return { refusal: mayBegin ? undefined : mustWait(one), leave: leaveTurn }
      } catch (error) {
        leaveTurn()
        throw error
      }
    },
    places,
    watch: (project, hear) => {
      watchers.set(hear, project)
      tellSoon()
      return () => void watchers.delete(hear)
    },
    changed: tellSoon,
    joined: (stream, connection) => {
      if (!stream.startsWith('project:')) return
      const audience = audiences.get(stream) ?? new Map<Connection, string>()
      audiences.set(stream, audience.set(connection, ''))
      tellSoon()
    },
    left: (stream, connection) => {
      const audience = audiences.get(stream)
      if (audience?.delete(connection) && audience.size === 0) audiences.delete(stream)
    },
    [Symbol.dispose]: () => {
      isClosed = true
      cancel?.()
      leave()
      leaveConnections()
      measured[Symbol.dispose]()
      audiences.clear()
      watchers.clear()
    },
  }
}

const changesQueue: ReadonlySet<string> = new Set([
  'session.created',
  'session.state_changed',
  'project.sessions_limited',
  'task.changed',
])

/** What a runner is told that begins one before its turn. */
function mustWait({ why, position }: Planned): Problem {
  return problem('must_wait', whyWords[why ?? 'starting'], { why, position })
}

const askAgain = 'Ask for work again when something has ended.'
const whyWords: Readonly<Record<QueueReason, string>> = {
  no_machine:
    'This runner has not said that it has the agent of this session, or all labels that it asks for. Say so with PUT /api/runner, then ask again.',
  machine_full: `This runner works on as many sessions as it takes. ${askAgain}`,
  agent_full: `This runner works on as many sessions of this agent as it takes. ${askAgain}`,
  project_full: `The project has as many sessions at work as it may. ${askAgain}`,
  starting: `Others are before it. ${askAgain}`,
}

/** How long sessions were at work that ended while this server ran, in milliseconds, by agent. */
function measureWork({ bus, clock, exchange, fault }: SessionQueuePorts): Disposable & {
  of: (agent: string) => readonly number[]
} {
  const begun = new Map<string, number>()
  const durations = new Map<string, number[]>()

  async function ended(stream: string, tookMs: number): Promise<void> {
    const now = await exchange.snapshot(stream)
    if (now?.state.kind !== 'session') return
    const { agent } = now.state
    durations.set(agent, [...(durations.get(agent) ?? []), tookMs].slice(-measuredMax))
  }

  function heard(stream: string, event: Envelope): void {
    const known = asKnown(event)
    if (known?.type !== 'session.state_changed') return
    const { from, to } = known.data
    if (from === 'queued' && to === 'starting') {
      begun.set(stream, clock.monotonicMs())
      const [oldest] = begun.keys()
      if (begun.size > begunMax && oldest !== undefined) begun.delete(oldest)
    } else if (over.has(to)) {
      const atMs = begun.get(stream)
      if (!begun.delete(stream) || atMs === undefined) return
      ended(stream, clock.monotonicMs() - atMs).catch(fault)
    }
  }

  const leave = bus.subscribe(({ stream, events }) => {
    for (const event of events) if (event.type === 'session.state_changed') heard(stream, readEvent(event))
  })
  return { of: (agent) => durations.get(agent) ?? [], [Symbol.dispose]: leave }
}

const over: ReadonlySet<string> = new Set(['completed', 'failed', 'aborted', 'interrupted'])
