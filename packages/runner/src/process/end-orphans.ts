import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { FolderInUse, lockFolder } from './folder-lock.ts'
import type { Reaped } from './holder.ts'
import { openKeeperHolder } from '../keeper/keeper-holder.ts'

/** Where the runner of a data directory keeps what is its own. */
export function runnerFolder(dataDir: string): string {
  return join(dataDir, 'runner')
}

/** Where a runner writes down whom it has started. */
export function childrenFolder(dataDir: string): string {
  return join(runnerFolder(dataDir), 'children')
}

/**
 * Ends what a runner that was killed left running. Where another one works in its folder nothing is done: then the agents
 * are that one's. Throws what the file system throws.
 */
export async function endOrphans(dataDir: string): Promise<readonly Reaped[]> {
  const folder = runnerFolder(dataDir)
  if (!existsSync(childrenFolder(dataDir))) return []
  const lock = tryLock(folder)
  if (!lock) return []
  const holder = openKeeperHolder({ folder, keeps: 'nothing', environment: {}, warn: () => undefined })
  try {
    return await holder.reap()
  } finally {
    await holder[Symbol.asyncDispose]()
    lock[Symbol.dispose]()
  }
}

function tryLock(folder: string): Disposable | undefined {
  try {
    return lockFolder(folder)
  } catch (error) {
    if (error instanceof FolderInUse) return undefined
    throw error
  }
}
