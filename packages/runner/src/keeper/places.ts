import { closeSync, constants, openSync } from 'node:fs'
import { join } from 'node:path'

/** Bytes that the path of a socket may have, on every system that has such sockets. */
const socketPathBytes = 100

/** Where the keepers of a runner's folder are: one, but for a while after an upgrade that an old one did not understand. */
export function keepersFolder(runnerFolder: string): string {
  return join(runnerFolder, 'keepers')
}

/** What a keeper has on the disk of one process. */
export function keptFolder(keeperFolder: string, p: string): string {
  return join(keeperFolder, 'processes', p)
}

/** Where a keeper writes down whom it has started, for whoever comes after it. */
export function keptChildrenFolder(keeperFolder: string): string {
  return join(keeperFolder, 'children')
}

/** Where a keeper writes down which process it is: whoever reaches one that says nothing knows it by that. */
export function keeperPidFile(keeperFolder: string): string {
  return join(keeperFolder, 'pid')
}

/**
 * Does something with the path of a keeper's socket. A longer one than systems take goes by way of the open folder, where
 * there is such a way; otherwise this throws.
 */
export async function withSocketPath<T>(keeperFolder: string, use: (path: string) => Promise<T>): Promise<T> {
  const path = join(keeperFolder, 'socket')
  if (Buffer.byteLength(path) <= socketPathBytes) return await use(path)
  if (process.platform !== 'linux') throw new Error(`The path of "${path}" is too long for a socket.`)
  const fd = openSync(keeperFolder, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    return await use(`/proc/self/fd/${fd}/socket`)
  } finally {
    closeSync(fd)
  }
}
