import { setTimeout as pause } from 'node:timers/promises'
import { askToFreeze, killGroup, pidsOf } from './cgroup.ts'
import { runVariable } from './environment.ts'
import { hasProcessTable, listEntries, variableOf, type TableEntry } from './process-table.ts'

/** The first process of a run, and the mark that its descendants inherit. */
export interface TreeRoot {
  pid: number
  /** 0 where it was gone before it could be looked at, or the machine has no process table. */
  startTicks: number
  run: string
  /** The group of the kernel that all of it was born into, where there is one. */
  cgroup?: string | undefined
  /** Processes that keep its namespace, `pid` among them: they end by themselves, or with SIGKILL. */
  wrappers?: readonly number[] | undefined
}

/** Time between two looks at a tree that is ending. */
const lookEveryMs = 20

/** After SIGKILL only the kernel itself can hold a process; one that it holds longer is given up and reported. */
const killDeadlineMs = 5_000

/** Processes that were found to belong to a run, by pid. */
export type KnownProcesses = Map<number, TableEntry>

/**
 * Those of the listed processes that belong to a run by their ties: the first one, its group, its kernel session, those in
 * its control group, what earlier looks found (`known`, brought up to date here), and all their descendants. A child that cuts all ties between
 * two looks is not among them.
 */
export function noteTree(entries: readonly TableEntry[], root: TreeRoot, known: KnownProcesses): KnownProcesses {
  const leader = entries.find(({ pid }) => pid === root.pid)
  // Another process has this pid now: then a group or session of that number is not ours either.
  const reused = leader !== undefined && leader.startTicks !== root.startTicks
  const found: KnownProcesses = new Map()
  const grouped = new Set(root.cgroup === undefined ? [] : pidsOf(root.cgroup))
  for (const entry of entries) {
    const related =
      grouped.has(entry.pid) ||
      (!reused && entry.startTicks >= root.startTicks && [entry.pid, entry.pgrp, entry.sid].includes(root.pid))
    if (related || known.get(entry.pid)?.startTicks === entry.startTicks) found.set(entry.pid, entry)
  }
  addDescendants(entries, found)
  known.clear()
  for (const [pid, entry] of found) known.set(pid, entry)
  return known
}

/** The processes of the machine at one moment, but for this one, and the marks that they were started with. */
interface Look {
  readonly entries: readonly TableEntry[]
  readonly runOf: (pid: number) => string | undefined
}

function lookAround(): Look {
  const runs = new Map<number, string | undefined>()
  return {
    entries: listEntries().filter(({ pid }) => pid !== process.pid),
    runOf: (pid) => {
      if (!runs.has(pid)) runs.set(pid, variableOf(pid, runVariable))
      return runs.get(pid)
    },
  }
}

/** For many who look at once: a look counts for all who come within this of it. Less than the time between two looks of one. */
const sharedMs = 10

/** Looks that many share. */
export function shareLooks(): () => Look {
  let last: { look: Look; atMs: number } | undefined
  return () => {
    if (!last || performance.now() - last.atMs > sharedMs) last = { look: lookAround(), atMs: performance.now() }
    return last.look
  }
}

/** All processes of a run: those with ties, and whatever else was started with its mark. */
export function findTree(root: TreeRoot, known: KnownProcesses, look: Look = lookAround()): readonly TableEntry[] {
  const { entries, runOf } = look
  const found = noteTree(entries, root, known)
  for (const entry of entries) if (!found.has(entry.pid) && runOf(entry.pid) === root.run) found.set(entry.pid, entry)
  addDescendants(entries, found)
  return [...found.values()]
}

function addDescendants(entries: readonly TableEntry[], found: KnownProcesses): void {
  for (let before = -1; before < found.size;) {
    before = found.size
    for (const entry of entries) if (found.has(entry.ppid)) found.set(entry.pid, entry)
  }
}

/**
 * Ends all processes of a run: SIGTERM, a grace, then SIGKILL until two looks in a row find nothing. Resolves to the pids
 * that are left nevertheless (none, unless the kernel holds one).
 */
export async function endTree(
  root: TreeRoot,
  graceMs: number,
  known: KnownProcesses = new Map(),
  look: () => Look = lookAround,
): Promise<readonly number[]> {
  if (!hasProcessTable()) return endGroup(root.pid, graceMs)
  // What stands still hears nothing.
  if (root.cgroup !== undefined) askToGoOn(root.cgroup)
  const startedAt = performance.now()
  const killAt = startedAt + graceMs
  const giveUpAt = killAt + killDeadlineMs
  let emptyLooks = 0
  const warned = new Set<number>()
  for (;;) {
    const left = findTree(root, known, look())
    emptyLooks = left.length === 0 ? emptyLooks + 1 : 0
    if (emptyLooks === 2) return []
    const now = performance.now()
    if (now > giveUpAt) return left.map(({ pid }) => pid)
    if (now >= killAt && root.cgroup !== undefined) killGroup(root.cgroup)
    for (const entry of left) {
      if (now >= killAt) send(entry.pid, 'SIGKILL')
      else if (!warned.has(entry.pid) && root.wrappers?.includes(entry.pid) !== true) {
        warned.add(entry.pid)
        // One that is stopped hears SIGTERM only once it goes on.
        send(entry.pid, 'SIGCONT')
        send(entry.pid, 'SIGTERM')
      }
    }
    await pause(lookEveryMs)
  }
}

function askToGoOn(cgroup: string): void {
  try {
    askToFreeze(cgroup, 'going')
  } catch {
    // It is gone already, or takes SIGKILL alone.
  }
}

/** Without a process table: the group, and no certainty about what left it. */
async function endGroup(pid: number, graceMs: number): Promise<readonly number[]> {
  const killAt = performance.now() + graceMs
  const giveUpAt = killAt + killDeadlineMs
  send(-pid, 'SIGTERM')
  while (performance.now() < giveUpAt) {
    await pause(lookEveryMs)
    if (!send(-pid, performance.now() >= killAt ? 'SIGKILL' : 0)) return []
  }
  return [pid]
}

/** Says whether there was somebody to signal. */
export function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch (error) {
    // ESRCH: it ended between the look and the signal. EPERM: it is not ours to signal, so it stays in the next look.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
