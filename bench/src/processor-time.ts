import { readdirSync, readFileSync } from 'node:fs'

// What ran on the machine while we measured. Linux only: elsewhere every share is 0, and the report says so.
//
// Foreign time is counted by processes, not by subtracting ours from the machine's total: on a virtual machine whose
// processors are partly taken away, the total leaves the taken time out and the processes' own counts do not, and the
// difference would hide what we look for. Time of processes that ended meanwhile has moved to the parent that waited
// for them, so the sum over all of own and waited-for time only grows.

/** Clock ticks a second in /proc; fixed by the kernel's interface. */
const ticksPerSecond = 100

interface ProcessTimes {
  pid: number
  parent: number
  /** User and system time of its own. */
  ownTicks: number
  /** The same of children that it waited for. */
  childTicks: number
  rssBytes: number
}

interface Snapshot {
  atMs: number
  processes: ReadonlyMap<number, ProcessTimes>
  stolenTicks: number
}

/** What was used between two moments, as shares of one processor (1 = one processor all the time). */
export interface Use {
  wallMs: number
  /** By processes that are neither ours nor children of ours. */
  foreignShare: number
  /** Taken away by the host of a virtual machine. */
  stolenShare: number
  /** By the watched processes and their children. */
  watchedShare: number
  /** Resident memory of the watched processes and their children at the end. */
  rssBytes: number
}

/** A running measurement of processor time. */
export interface Gauge {
  /** What was used since it was started. */
  read(): Use
}

/** Starts to measure. `watched`: pids of the server; ours are these, this process, and all their children. */
export function startGauge(watched: readonly number[]): Gauge {
  const start = takeSnapshot()
  return {
    read: () => compare(start, takeSnapshot(), watched),
  }
}

/** Resident memory of processes and their children, in bytes; 0 where they are gone. */
export function residentBytes(watched: readonly number[]): number {
  const { processes } = takeSnapshot()
  return sumOf(treeOf(processes, watched), processes, (times) => times.rssBytes)
}

function compare(start: Snapshot, end: Snapshot, watched: readonly number[]): Use {
  const wallMs = end.atMs - start.atMs
  const share = (ticks: number): number => Math.max(0, ticks / ticksPerSecond / (wallMs / 1000))
  const watchedPids = treeOf(end.processes, watched)
  const ours = treeOf(end.processes, [...watched, process.pid])
  for (const pid of treeOf(start.processes, [...watched, process.pid])) ours.add(pid)
  const foreign = (snapshot: Snapshot): Set<number> =>
    new Set([...snapshot.processes.keys()].filter((pid) => !ours.has(pid)))
  const survivors = new Set([...foreign(end)].filter((pid) => start.processes.has(pid)))
  // A child that nobody waits for takes its time with it; the survivors' own time is then the better bound.
  const foreignTicks = Math.max(
    sumOf(foreign(end), end.processes, all) - sumOf(foreign(start), start.processes, all),
    sumOf(survivors, end.processes, own) - sumOf(survivors, start.processes, own),
  )
  return {
    wallMs,
    foreignShare: share(foreignTicks),
    stolenShare: share(end.stolenTicks - start.stolenTicks),
    watchedShare: share(sumOf(watchedPids, end.processes, own) - sumOf(watchedPids, start.processes, own)),
    rssBytes: sumOf(watchedPids, end.processes, (times) => times.rssBytes),
  }
}

function own(times: ProcessTimes): number {
  return times.ownTicks
}

function all(times: ProcessTimes): number {
  return times.ownTicks + times.childTicks
}

function sumOf(
  pids: Iterable<number>,
  processes: ReadonlyMap<number, ProcessTimes>,
  value: (times: ProcessTimes) => number,
): number {
  let sum = 0
  for (const pid of pids) {
    const times = processes.get(pid)
    if (times !== undefined) sum += value(times)
  }
  return sum
}

/** The roots that exist and all their descendants. */
function treeOf(processes: ReadonlyMap<number, ProcessTimes>, roots: readonly number[]): Set<number> {
  const children = new Map<number, number[]>()
  for (const { pid, parent } of processes.values()) {
    const siblings = children.get(parent)
    if (siblings === undefined) children.set(parent, [pid])
    else siblings.push(pid)
  }
  const found = new Set<number>()
  const queue = roots.filter((pid) => processes.has(pid))
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    if (found.has(pid)) continue
    found.add(pid)
    queue.push(...(children.get(pid) ?? []))
  }
  return found
}

function takeSnapshot(): Snapshot {
  const processes = new Map<number, ProcessTimes>()
  const totals = readIfThere('/proc/stat')
  for (const name of totals === undefined ? [] : readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const times = parseProcess(Number(name), readIfThere(`/proc/${name}/stat`))
    if (times !== undefined) processes.set(times.pid, times)
  }
  // cpu user nice system idle iowait irq softirq steal …
  const stolenTicks = Number(totals?.split('\n', 1)[0]?.trim().split(/\s+/)[8] ?? 0)
  return { atMs: performance.now(), processes, stolenTicks }
}

const pageBytes = 4096

function parseProcess(pid: number, text: string | undefined): ProcessTimes | undefined {
  // The name in the second field may hold spaces and brackets; the fields count from behind its last bracket.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ')
  if (fields === undefined || fields.length < 22) return undefined
  const field = (index: number): number => Number(fields[index])
  return {
    pid,
    parent: field(1),
    ownTicks: field(11) + field(12),
    childTicks: field(13) + field(14),
    rssBytes: field(21) * pageBytes,
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // Not Linux, or a process that ended between the listing and the reading.
    return undefined
  }
}
