import { setTimeout as pause } from 'node:timers/promises'
import { askToFreeze, isFrozen, pidsOf } from './cgroup.ts'
import type { Standstill } from './holder.ts'
import { hasProcessTable, type TableEntry } from './process-table.ts'
import { findTree, type KnownProcesses, send, type TreeRoot } from './process-tree.ts'

/** Time between two looks at a tree that is coming to a standstill. */
const lookEveryMs = 10

/** What does not stand still after this is let go on, and the person is told. */
const freezeDeadlineMs = 10_000

/** Processes that were stopped here, by pid, with their start: only these are continued. */
export type StoppedProcesses = Map<number, number>

/**
 * Stops all processes of a run, its first one first, and looks again until two looks in a row find nothing that moves.
 * Where the kernel keeps them in a group it is asked to freeze that, which no process notices. What cannot be stopped in
 * time makes all of it go on again: nothing stays half stopped.
 */
export async function freezeTree(
  root: TreeRoot,
  known: KnownProcesses,
  stopped: StoppedProcesses,
  calledOff: AbortSignal,
): Promise<Standstill> {
  if (process.platform === 'win32') return { done: false, reason: 'Processes cannot be stopped on Windows.' }
  if (!hasProcessTable()) return stopGroup(root.pid)
  const giveUpAt = performance.now() + freezeDeadlineMs
  for (let stillLooks = 0; ;) {
    if (calledOff.aborted) return { done: false, reason: 'It is being ended.' }
    const found = findTree(root, known)
    if (found.length === 0) return { done: false, reason: 'Its process has ended.' }
    const moving = stopMoving(found, root, stopped)
    stillLooks = moving.length === 0 ? stillLooks + 1 : 0
    if (stillLooks === 2) return { done: true, processes: found.length }
    if (performance.now() > giveUpAt) {
      thawTree(root, known, stopped)
      const pids = moving.map(({ pid }) => pid).join(', ')
      return { done: false, reason: `These processes could not be stopped, so all of it goes on: ${pids}.` }
    }
    await pause(lookEveryMs)
  }
}

/** Lets what was stopped go on, the first one last: a shell that wakes before its jobs takes its terminal from them. */
export function thawTree(root: TreeRoot, known: KnownProcesses, stopped: StoppedProcesses): Standstill {
  if (process.platform === 'win32') return { done: false, reason: 'Processes cannot be stopped on Windows.' }
  if (!hasProcessTable()) {
    if (send(-root.pid, 'SIGCONT')) return { done: true, processes: 1 }
    return { done: false, reason: 'Its process has ended.' }
  }
  if (root.cgroup !== undefined) askToFreeze(root.cgroup, 'going')
  const found = findTree(root, known).toReversed()
  const ours = found.filter(({ pid, startTicks }) => stopped.get(pid) === startTicks)
  const inOrder = [...ours.filter(({ pid }) => pid !== root.pid), ...ours.filter(({ pid }) => pid === root.pid)]
  for (const { pid } of inOrder) send(pid, 'SIGCONT')
  stopped.clear()
  return { done: true, processes: found.length }
}

function stopGroup(pid: number): Standstill {
  if (send(-pid, 'SIGSTOP')) return { done: true, processes: 1 }
  return { done: false, reason: 'Its process has ended.' }
}

/** One more look at a tree that stands still: whatever somebody else has let go on, or has come since, is stopped. */
export function keepStill(root: TreeRoot, known: KnownProcesses, stopped: StoppedProcesses): void {
  stopMoving(findTree(root, known), root, stopped)
}

/** Answers those that may still run. What is in a group of the kernel is left to that. */
function stopMoving(found: readonly TableEntry[], root: TreeRoot, stopped: StoppedProcesses): readonly TableEntry[] {
  const grouped = new Set<number>()
  if (root.cgroup !== undefined) {
    askToFreeze(root.cgroup, 'frozen')
    for (const pid of pidsOf(root.cgroup)) grouped.add(pid)
  }
  const isGroupStill = root.cgroup !== undefined && isFrozen(root.cgroup)
  const moving = found.filter((entry) => (grouped.has(entry.pid) ? !isGroupStill : !standsStill(entry, stopped)))
  const alone = moving.filter(({ pid }) => !grouped.has(pid))
  for (const entry of [
    ...alone.filter(({ pid }) => pid === root.pid),
    ...alone.filter(({ pid }) => pid !== root.pid),
  ]) {
    stopped.set(entry.pid, entry.startTicks)
    send(entry.pid, 'SIGSTOP')
  }
  return moving
}

/** One that waits inside the kernel (D) stops before it comes back out, once it has been told to. */
function standsStill({ state, pid, startTicks }: TableEntry, stopped: StoppedProcesses): boolean {
  return state === 'T' || state === 't' || (state === 'D' && stopped.get(pid) === startTicks)
}
