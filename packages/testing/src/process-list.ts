import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** A process as the kernel lists it. */
export interface ProcessEntry {
  readonly pid: number
  readonly ppid: number
  /** When it began, in clock ticks since boot: with the pid, this names one process and no later one. */
  readonly startTicks: number
  /** One letter as in `ps`: R, S, D, T, Z, … */
  readonly state: string
  /** CPU time of the process so far (user and system), in clock ticks. */
  readonly cpuTicks: number
  /** Its arguments, or its name in brackets when it has none. */
  readonly command: string
}

/** Reads a file of /proc; undefined when the process is gone or not ours to read. */
function readProc(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1')
  } catch {
    return undefined
  }
}

/** A zombie has ended and only waits for its parent to ask. */
function isAlive(entry: ProcessEntry): boolean {
  return entry.state !== 'Z' && entry.state !== 'X'
}

/** One process, or undefined when there is none with that pid (Linux; elsewhere always undefined). */
export function findProcess(pid: number): ProcessEntry | undefined {
  const stat = readProc(pid, 'stat')
  if (stat === undefined) return undefined
  // The name stands in parentheses and may hold blanks and parentheses itself: fields count from the last one.
  const nameEnd = stat.lastIndexOf(')')
  const fields = stat.slice(nameEnd + 2).split(' ')
  const field = (number: number): string => fields[number - 3] ?? ''
  const commandLine = (readProc(pid, 'cmdline') ?? '').replaceAll('\0', ' ').trim()
  return {
    pid,
    ppid: Number(field(4)),
    startTicks: Number(field(22)),
    state: field(3),
    cpuTicks: Number(field(14)) + Number(field(15)),
    command: commandLine === '' ? `[${stat.slice(stat.indexOf('(') + 1, nameEnd)}]` : commandLine,
  }
}

/**
 * All processes that run now; those that are dead but not yet reaped (zombies) are left out. It reads without
 * waiting, so that the picture has no gap in which this process could have gone on.
 */
export function listProcesses(): ProcessEntry[] {
  if (!existsSync('/proc/self/stat')) return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => findProcess(Number(name)))
    .filter((entry) => entry !== undefined)
    .filter((entry) => isAlive(entry))
}

/** Those of the listed processes that descend from one of the pids, at any depth, without the pids themselves. */
export function findDescendants(processes: readonly ProcessEntry[], pids: Iterable<number>): ProcessEntry[] {
  const known = new Set(pids)
  const found: ProcessEntry[] = []
  let foundBefore = -1
  while (found.length > foundBefore) {
    foundBefore = found.length
    for (const entry of processes) {
      if (known.has(entry.pid) || !known.has(entry.ppid)) continue
      known.add(entry.pid)
      found.push(entry)
    }
  }
  return found
}

/** Whether the process began with that variable set to that value; false when its environment is not ours to read. */
export function hasEnvironment(pid: number, name: string, value: string): boolean {
  const environment = readProc(pid, 'environ')
  return environment !== undefined && environment.split('\0').includes(`${name}=${value}`)
}

/** The working directory of a process; undefined when it is gone or not ours to read. */
export function findWorkingDirectory(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return undefined
  }
}

/** Whether some process with this pid runs; one that is dead but not yet reaped does not. */
export function hasProcess(pid: number): boolean {
  const entry = findProcess(pid)
  return entry !== undefined && isAlive(entry)
}

/** Whether exactly this process still runs: not another one that got its pid, and not a zombie. */
export function isRunning(entry: Pick<ProcessEntry, 'pid' | 'startTicks'>): boolean {
  const now = findProcess(entry.pid)
  return now !== undefined && now.startTicks === entry.startTicks && isAlive(now)
}

/** Sends a signal to one process if it is still the one that was listed; says whether it was sent. */
export function signalProcess(entry: ProcessEntry, signal: NodeJS.Signals): boolean {
  if (!isRunning(entry)) return false
  try {
    return process.kill(entry.pid, signal)
  } catch (error) {
    // It ended between the look and the signal.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}
