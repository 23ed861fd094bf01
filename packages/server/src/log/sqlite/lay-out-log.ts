import { closeSync, fsyncSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

const chunk = Buffer.alloc(1024 * 1024)

/**
 * Gives a database's write-ahead log its blocks before it is used: a commit that writes in place waits for one write of the
 * disk, one that makes the file longer also for the file system's own journal. SQLite reads a log whose header is
 * zeros as an empty one (file format, 4.1). An existing log is left alone; a full disk only means that there is none.
 */
export function layOutLog(database: string, pageSizeBytes: number, sizeBytes: number): void {
  const log = `${database}-wal`
  if ((statSync(log, { throwIfNoEntry: false })?.size ?? 0) > 0) return
  if (statSync(database).size === 0) makeDatabase(database, pageSizeBytes)
  let file: number | undefined
  try {
    file = openSync(log, 'w', 0o600)
    for (let at = 0; at < sizeBytes; at += chunk.length)
      writeSync(file, chunk, 0, Math.min(chunk.length, sizeBytes - at))
    fsyncSync(file)
  } catch {
    if (file !== undefined) rmSync(log, { force: true })
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

/** Empty, and with a write-ahead log from its first commit on. */
function makeDatabase(path: string, pageSizeBytes: number): void {
  const db = new DatabaseSync(path)
  try {
    db.exec(`PRAGMA page_size = ${pageSizeBytes}; PRAGMA journal_mode = WAL`)
  } finally {
    db.close()
  }
}
