import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** A process as the kernel lists it. */
export interface TableEntry {
  readonly pid: number
  readonly ppid: number
  /** Process group. */
  readonly pgrp: number
  /** Session (of the kernel's kind), led by the process with this pid. */
  readonly sid: number
  /** When it began, in clock ticks since boot: with the pid and the boot, this names one process and no later one. */
  readonly startTicks: number
  /** One letter of the kernel: R runs, S and D wait, T and t are stopped. */
  readonly state: string
}

/** Clock ticks of the kernel in a second, as it tells them to programs: the same on every machine. */
const ticksPerSecond = 100

/** What a process uses. */
export interface ProcessUse {
  readonly name: string
  readonly cpuMs: number
  /** Resident. */
  readonly memoryBytes: number
}

/** True where the kernel's table can be read; elsewhere only the process group is known. */
export function hasProcessTable(): boolean {
  return existsSync('/proc/self/stat')
}

/** Names the present life of the machine: start ticks of another life mean nothing. Empty where there is no /proc. */
export function bootId(): string {
  return readText('/proc/sys/kernel/random/boot_id')?.trim() ?? ''
}

/** When a process began; also of one that has ended and waits for its parent. 0 where it is gone or there is no table. */
export function startTicksOf(pid: number): number {
  return readEntry(pid)?.startTicks ?? 0
}

/** One process that runs now; undefined for one that is gone or only waits for its parent (a zombie). */
function findEntry(pid: number): TableEntry | undefined {
  const entry = readEntry(pid)
  return entry && entry.state !== 'Z' && entry.state !== 'X' ? entry : undefined
}

function readEntry(pid: number): TableEntry | undefined {
  const stat = readText(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  // The name stands in parentheses and may itself hold blanks and parentheses: fields count from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const field = (number: number): number => Number(fields[number - 3])
  return { pid, state: fields[0] ?? '', ppid: field(4), pgrp: field(5), sid: field(6), startTicks: field(22) }
}

/** What a process uses now; undefined where it is gone. */
export function readUse(pid: number): ProcessUse | undefined {
  const stat = readText(`/proc/${pid}/stat`)
  const status = readText(`/proc/${pid}/status`)
  if (stat === undefined || status === undefined) return undefined
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[14 - 3]) + Number(fields[15 - 3])
  return {
    name: Buffer.from(stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')), 'latin1').toString(),
    cpuMs: (ticks * 1_000) / ticksPerSecond,
    // A process that is on its way out has none any more.
    memoryBytes: Number(/^VmRSS:\s*(\d+) kB/m.exec(status)?.[1] ?? 0) * 1_024,
  }
}

/** When a process with these start ticks began, in milliseconds of the wall clock. */
export function startedAtMs(startTicks: number): number {
  const bootSeconds = Number(/^btime (\d+)$/m.exec(readText('/proc/stat') ?? '')?.[1] ?? 0)
  return bootSeconds * 1_000 + (startTicks * 1_000) / ticksPerSecond
}

/** A moment between the processes that were there and those that begin after it. */
export interface ProcessMark {
  /** As start ticks are told. */
  readonly ticks: number
  /** The newest process then: within one tick, only their numbers tell what came before what. */
  readonly newestPid: number
}

/** Now. */
export function markNow(): ProcessMark {
  const ticks = Math.round(Number(readText('/proc/uptime')?.split(' ')[0] ?? 0) * ticksPerSecond)
  return { ticks, newestPid: Number(readText('/proc/loadavg')?.trim().split(' ')[4] ?? 0) }
}

/** Whether it began after that; where the kernel cannot say, it did not. */
export function hasBegunSince({ ticks, newestPid }: ProcessMark, { pid, startTicks }: TableEntry): boolean {
  return startTicks > ticks || (startTicks === ticks && newestPid > 0 && pid > newestPid)
}

/** All processes that run now. It reads without waiting, so that nothing happens in the middle of the picture. */
export function listEntries(): readonly TableEntry[] {
  if (!hasProcessTable()) return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => findEntry(Number(name)))
    .filter((entry) => entry !== undefined)
}

/** A variable that the process was started with; undefined where there is none, or its environment is not ours to read. */
export function variableOf(pid: number, name: string): string | undefined {
  const set = readText(`/proc/${pid}/environ`)
    ?.split('\0')
    .find((text) => text.startsWith(`${name}=`))
  return set?.slice(name.length + 1)
}

/** Undefined when the process is gone, or not ours to read. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}
