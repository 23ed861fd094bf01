import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describeError, StoreUnavailable } from '../store-unavailable.ts'

/** Another server has this data directory open. */
export class DirectoryInUse extends Error {
  override readonly name = 'DirectoryInUse'
}

/**
 * Takes a data directory for this process alone. The lock is SQLite's own exclusive lock on a small database beside the
 * real one: the kernel gives it back when the process ends, however it ends, so there is no stale lock to clean up.
 * Throws `DirectoryInUse`, or `StoreUnavailable` where the disk is full or the file is no lock of ours.
 */
export function lockDirectory(dir: string): Disposable {
  const path = join(dir, 'owner.lock')
  const note = join(dir, 'owner.txt')
  touchPrivately(path)
  const db = new DatabaseSync(path, { timeout: 0 })
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if (!isHeld(error)) {
      throw new StoreUnavailable(`${path} cannot be locked: ${describeError(error)}`, { cause: error })
    }
    throw new DirectoryInUse(`${dir} is in use by another Hotline server${describeOwner(note)}`, { cause: error })
  }
  writeFileSync(note, `${process.pid}\n`, { mode: 0o600 })
  return { [Symbol.dispose]: () => db.close() }
}

/** SQLITE_BUSY: the lock is somebody else's. */
function isHeld(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 5
}

/**
 * Makes the file with mode 0600 before SQLite would make it readable for others. Never opens an existing file: closing a
 * file loses all locks that this process holds on it (POSIX), those of SQLite too.
 */
export function touchPrivately(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function describeOwner(note: string): string {
  try {
    return ` (process ${readFileSync(note, 'utf8').trim()})`
  } catch {
    return '' // The note is a courtesy; the lock is what counts.
  }
}
