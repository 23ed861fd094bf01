import { readdirSync, readFileSync } from 'node:fs'

/** Memory of a process that is in the machine now, and the most that ever was. */
export interface ProcessMemory {
  readonly residentBytes: number
  readonly peakBytes: number
}

/** As the kernel counts it: a peak between two looks is not missed. Throws where there is no such process. */
export function readMemory(pid: number): ProcessMemory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const bytesOf = (name: string): number => {
    const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]
    if (kibibytes === undefined) throw new Error(`process ${pid} has no ${name}`)
    return Number(kibibytes) * 1024
  }
  return { residentBytes: bytesOf('VmRSS'), peakBytes: bytesOf('VmHWM') }
}

/** Files, sockets and pipes that a process has open. Throws where there is no such process. */
export function countDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}
