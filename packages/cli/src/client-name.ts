import { readlinkSync } from 'node:fs'
import { isatty } from 'node:tty'

/**
 * What this program calls itself at a server: its terminal, or its process where it has none. The log says it beside the key
 * that was used, which is what counts.
 */
export function clientName(): string {
  return `hotline-cli/${terminalName() ?? `pid-${process.pid}`}`
}

/** `pts-3` for `/dev/pts/3`; undefined where there is no terminal, or the system does not name it. */
function terminalName(): string | undefined {
  const open = [0, 1, 2].find((descriptor) => isatty(descriptor))
  if (open === undefined) return undefined
  try {
    const name = readlinkSync(`/proc/self/fd/${open}`)
      .replace(/^\/dev\//, '')
      .replaceAll(/[^A-Za-z0-9._-]/g, '-')
    return /^[A-Za-z0-9]/.test(name) ? name.slice(0, 40) : undefined
  } catch {
    return undefined
  }
}
