import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Another runner works in this folder. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse'
}

/**
 * Takes the folder of a runner for this process alone: two of them would write the same spools, and each would take the
 * agents of the other for orphans. The lock is the exclusive one of SQLite on a small file: the kernel gives it back when
 * the process ends, however it ends, so none is ever stale, and children do not inherit it. Throws `FolderInUse`, or what
 * the file system throws.
 */
export function lockFolder(folder: string): Disposable {
  const file = join(folder, 'owner.lock')
  const note = join(folder, 'owner.txt')
  touch(file)
  const db = new DatabaseSync(file, { timeout: 0 })
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if (!isHeld(error)) throw error
    const words = `"${folder}" is in use by another runner${describeOwner(note)}. End that one first, or give this one a data directory and a key of its own (HOTLINE_DATA_DIR, hotline keys make --kind run).`
    throw new FolderInUse(words, { cause: error })
  }
  writeFileSync(note, `${process.pid}\n`, { mode: 0o600 })
  return { [Symbol.dispose]: () => db.close() }
}

/** SQLITE_BUSY: the lock is somebody else's. */
function isHeld(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 5
}

/** For its owner alone, before SQLite would make it for everybody. An existing one is not opened: closing it would unlock it. */
function touch(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function describeOwner(note: string): string {
  try {
    return ` (process ${readFileSync(note, 'utf8').trim()})`
  } catch {
    return ''
  }
}
