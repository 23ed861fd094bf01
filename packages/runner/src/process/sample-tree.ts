import {
  sampledProcessesMax,
  type ProcessSample,
  type TreeReach,
  type TreeSample,
} from '@hotline/protocol/process-tree'
import { hasProcessTable, listEntries, readUse, startedAtMs, type TableEntry } from './process-table.ts'
import { findTree, type KnownProcesses, noteTree, type TreeRoot } from './process-tree.ts'

/** Characters of a process's name; the kernel keeps fewer. */
const nameChars = 64

/** What the kernel says of a run's processes now; undefined where it cannot be asked, or nothing is left. */
export function sampleTree(
  root: TreeRoot,
  known: KnownProcesses,
  { reach, frozen }: { reach: TreeReach; frozen: boolean },
): TreeSample | undefined {
  if (!hasProcessTable()) return undefined
  const before = new Map(known)
  // To look for the mark in every environment of the machine is for where nothing better tells what belongs together.
  const found = reach === 'scan' ? findTree(root, before) : [...noteTree(listEntries(), root, before).values()]
  if (found.length === 0) return undefined
  const pids = new Set(found.map(({ pid }) => pid))
  const all = found
    .toSorted((a, b) => a.startTicks - b.startTicks || a.pid - b.pid)
    .map((entry) => sampleOf(entry, pids))
    .filter((sample) => sample !== undefined)
  return {
    at: new Date().toISOString(),
    reach,
    frozen,
    count: all.length,
    cpuMs: all.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    memoryBytes: all.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
    processes: all.slice(0, sampledProcessesMax),
  }
}

/** Undefined for one that ended between the look and this. */
function sampleOf({ pid, ppid, startTicks }: TableEntry, pids: ReadonlySet<number>): ProcessSample | undefined {
  const use = readUse(pid)
  if (!use) return undefined
  return {
    pid,
    ppid: pids.has(ppid) ? ppid : 0,
    name: use.name.slice(0, nameChars),
    cpuMs: use.cpuMs,
    memoryBytes: use.memoryBytes,
    startedAt: new Date(startedAtMs(startTicks)).toISOString(),
  }
}
