import type { QueueReason } from '@hotline/protocol/queue'
import { type TaskPriority, taskPriorities } from '@hotline/protocol/task'

/** So much waiting counts as much as one step of priority: nothing that is less urgent waits for ever. */
export const stepMs: number = 10 * 60_000

/** A session that no machine has begun yet. */
export interface Waiting {
  session: string
  project: string
  agent: string
  /** The only machine that may begin it; null for any that has its agent. */
  runner: string | null
  /** What that machine has to be, or have; absent: anything. */
  labels?: readonly string[] | undefined
  priority: TaskPriority
  /** Since when it waits, in milliseconds of the wall clock. */
  sinceMs: number
}

/** A machine that is connected. */
export interface Machine {
  runner: string
  /** The projects it works for; absent for all. */
  projects?: readonly string[] | undefined
  /** Sessions that it works on at once. */
  sessionsMax: number
  /** What it can start, and how many of each at once where it says so; absent where it has not said yet. */
  agents?: ReadonlyMap<string, number | undefined> | undefined
  /** What it is, or has. */
  labels?: readonly string[] | undefined
}

/** Sessions that have begun and are not over, counted. */
export interface Busy {
  runner: string
  project: string
  agent: string
  count: number
}

/** Where a session stands among those that wait. */
export interface Planned {
  session: string
  /** Machines that may begin it now. */
  admitted: readonly string[]
  /** Why none may; undefined where one may. */
  why: QueueReason | undefined
  /** From 1, among those that want the same places; undefined where no machine could begin it at all. */
  position: number | undefined
  /** How many of those it waits for can be at work at once. */
  places: number
}

/**
 * Who may begin, and who has to wait for what. Sessions stand in the order of how long they wait, each step of priority worth
 * ten minutes, so that the order of two never changes by itself; one that waits for one place stops nobody who wants another.
 * `projectMax`: sessions of a project at once; undefined for as many as there are machines for.
 */
export function planQueue(
  waiting: readonly Waiting[],
  {
    machines,
    busy,
    projectMax,
  }: {
    machines: readonly Machine[]
    busy: readonly Busy[]
    projectMax: (project: string) => number | undefined
  },
): readonly Planned[] {
  const taken = new Map<string, number>()
  const take = (runner: string, project: string, agent: string, count: number): void => {
    for (const key of [ofMachine(runner), ofAgent(runner, agent), ofProject(project)])
      taken.set(key, (taken.get(key) ?? 0) + count)
  }
  for (const { runner, project, agent, count } of busy) take(runner, project, agent, count)
  const left = (key: string, max: number | undefined): number =>
    max === undefined ? Number.POSITIVE_INFINITY : max - (taken.get(key) ?? 0)
  const leftOn = ({ runner, sessionsMax, agents }: Machine, agent: string): number =>
    Math.min(left(ofMachine(runner), sessionsMax), left(ofAgent(runner, agent), agents?.get(agent)))
  /** How many wait before for each place. */
  const ahead = new Map<string, number>()
  return [...waiting].toSorted(byTurn).map((one): Planned => {
    const { session, project, agent } = one
    const able = machines.filter((machine) => canBegin(machine, one))
    if (able.length === 0) return { session, admitted: [], why: 'no_machine', position: undefined, places: 0 }
    const max = projectMax(project)
    const isFull = left(ofProject(project), max) <= 0
    const free = isFull ? [] : able.filter((machine) => leftOn(machine, agent) > 0)
    const wanted = isFull ? [ofProject(project)] : able.map(({ runner }) => ofMachine(runner))
    const position = 1 + Math.max(...wanted.map((key) => ahead.get(key) ?? 0))
    const kept = isFull ? wanted : [ofProject(project), ...wanted]
    for (const key of kept) ahead.set(key, (ahead.get(key) ?? 0) + 1)
    // It may take any of them; its place is kept on the one with the most room.
    const [roomiest] = free.toSorted((a, b) => leftOn(b, agent) - leftOn(a, agent))
    if (roomiest) take(roomiest.runner, project, agent, 1)
    const places = able.reduce(
      (sum, { sessionsMax, agents }) => sum + Math.min(sessionsMax, agents?.get(agent) ?? sessionsMax),
      0,
    )
    return {
      session,
      admitted: free.map(({ runner }) => runner),
      why: free.length > 0 ? undefined : isFull ? 'project_full' : isAgentFull(able) ? 'agent_full' : 'machine_full',
      position,
      places: Math.min(places, max ?? places),
    }

    function isAgentFull(those: readonly Machine[]): boolean {
      return those.some(({ runner, sessionsMax }) => left(ofMachine(runner), sessionsMax) > 0)
    }
  })
}

/** Between which moments a session will probably begin, in seconds from now. */
export interface ExpectedWait {
  lowS: number
  likelyS: number
  highS: number
  /** Of how many measured sessions. */
  of: number
}

/** Fewer say nothing. */
const measuredMin = 5

/**
 * How long a session will probably wait: one of `places` ends every (duration / places) on average, and it takes as many ends
 * as its position. From the quartiles of how long sessions were at work, in milliseconds; undefined where too few are known.
 */
export function expectedWait(
  { position, places }: Pick<Planned, 'position' | 'places'>,
  durationsMs: readonly number[],
): ExpectedWait | undefined {
  if (position === undefined || places <= 0 || durationsMs.length < measuredMin) return undefined
  const sorted = durationsMs.toSorted((a, b) => a - b)
  const secondsAt = (part: number): number => {
    const durationMs = sorted[Math.round(part * (sorted.length - 1))] ?? 0
    return Math.ceil((durationMs * position) / places / 1_000)
  }
  return { lowS: secondsAt(0.25), likelyS: secondsAt(0.5), highS: secondsAt(0.75), of: sorted.length }
}

function canBegin({ runner, projects, agents, labels = [] }: Machine, one: Waiting): boolean {
  if (one.labels?.some((label) => !labels.includes(label))) return false
  if (one.runner !== null && one.runner !== runner) return false
  if (projects && !projects.includes(one.project)) return false
  return one.runner !== null || !agents || agents.has(one.agent)
}

function byTurn(a: Waiting, b: Waiting): number {
  return turnOf(a) - turnOf(b) || (a.session < b.session ? -1 : 1)
}

function turnOf({ sinceMs, priority }: Waiting): number {
  return sinceMs - taskPriorities.indexOf(priority) * stepMs
}

function ofMachine(runner: string): string {
  return `machine ${runner}`
}

function ofAgent(runner: string, agent: string): string {
  return `agent ${runner} ${agent}`
}

function ofProject(project: string): string {
  return `project ${project}`
}
