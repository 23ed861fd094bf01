import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { describeError } from '../store-unavailable.ts'

/** What one checkpoint did; frames are pages of the write-ahead log. */
export interface CheckpointReport {
  logFrames: number
  movedFrames: number
  error?: string
}

/** Opens the file only while it works: an idle connection would remember a file that was replaced or damaged meanwhile. */
function checkpoint(path: string): CheckpointReport {
  try {
    const db = new DatabaseSync(path)
    try {
      db.exec('PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = FULL')
      const row = db.prepare('PRAGMA wal_checkpoint(PASSIVE)').get()
      return { logFrames: Number(row?.['log'] ?? 0), movedFrames: Number(row?.['checkpointed'] ?? 0) }
    } finally {
      db.close()
    }
  } catch (error) {
    return { logFrames: 0, movedFrames: 0, error: describeError(error) }
  }
}

parentPort?.on('message', () => parentPort?.postMessage(checkpoint(String(workerData)), []))
