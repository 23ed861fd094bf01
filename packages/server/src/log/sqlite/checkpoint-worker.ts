import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { describeError } from '../store-unavailable.ts'

/** That one pass is over; `error` says why it did nothing. */
export interface CheckpointReport {
  error?: string
}

/** Opens the file only while it works: an idle connection would remember a file that was replaced or damaged meanwhile. */
function checkpoint(path: string): CheckpointReport {
  try {
    const db = new DatabaseSync(path)
    try {
      db.exec('PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = FULL')
      db.prepare('PRAGMA wal_checkpoint(PASSIVE)').get()
      return {}
    } finally {
      db.close()
    }
  } catch (error) {
    return { error: describeError(error) }
  }
}

parentPort?.on('message', () => parentPort?.postMessage(checkpoint(String(workerData)), []))
