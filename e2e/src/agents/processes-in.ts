import { readlinkSync } from 'node:fs'
import { listProcesses } from '@hotline/testing/process-list'

/** The commands of all processes that work in a folder or below it, whoever started them (Linux; elsewhere none). */
export function processesIn(folder: string): string[] {
  const isThere = (pid: number): boolean => {
    try {
      return `${readlinkSync(`/proc/${pid}/cwd`)}/`.startsWith(`${folder}/`)
    } catch {
      return false
    }
  }
  return listProcesses().flatMap(({ pid, command }) => (isThere(pid) ? [command] : []))
}
