import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Failpoints } from '../failpoints.ts'
import type { CheckpointReport } from './checkpoint-worker.ts'
import type { SqliteFile } from './sqlite-file.ts'

/** The write-ahead log is moved into the database when it has grown by about this much. */
const checkpointBytes = 16 * 1024 * 1024

/** What a commit writes besides the events themselves: whole pages of tables and indexes. */
const commitOverheadBytes = 32 * 1024
const eventOverhead = 2

/**
 * What the worker leaves because commits went on meanwhile. So little is moved here, between two commits; then the log is
 * begun anew from its start, and does not grow without end under a load that never pauses.
 */
const remainderFrames = 256

/**
 * Moves the write-ahead log into the database, in a thread with a connection of its own, so that nobody waits for it. The
 * thread starts with the first need.
 */
export class Checkpointer implements AsyncDisposable {
  readonly #file: SqliteFile
  readonly #failpoints: Failpoints
  #grownBytes = 0
  #worker: Worker | undefined
  #busy = false

  constructor(file: SqliteFile, failpoints: Failpoints) {
    this.#file = file
    this.#failpoints = failpoints
  }

  /** A commit was made; its size is an estimate, which is all that is needed here. */
  wrote(sizeBytes: number): void {
    this.#grownBytes += sizeBytes * eventOverhead + commitOverheadBytes
    if (this.#grownBytes < checkpointBytes || this.#busy) return
    try {
      this.#failpoints.hit('before_checkpoint')
    } catch {
      return // A checkpoint that fails is tried again with the next commit.
    }
    this.#busy = true
    this.#grownBytes = 0
    this.#worker ??= this.#start()
    this.#worker.postMessage('checkpoint', [])
  }

  /** As `truncateNow`, after the worker has finished what it may be doing. */
  async truncate(): Promise<void> {
    while (this.#busy && this.#worker !== undefined) await once(this.#worker, 'message')
    this.truncateNow()
  }

  /** Moves everything and empties the write-ahead log, here and now. Throws what SQLite throws. */
  truncateNow(): void {
    this.#file.statement('PRAGMA wal_checkpoint(TRUNCATE)').all()
    this.#grownBytes = 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate()
    this.#worker = undefined
  }

  #start(): Worker {
    const name = import.meta.url.endsWith('.ts') ? './checkpoint-worker.ts' : './checkpoint-worker.js'
    const worker = new Worker(new URL(name, import.meta.url), { workerData: this.#file.path })
    worker.unref()
    worker.on('message', (report: CheckpointReport) => this.#finished(report))
    // Without its worker the log only grows; the next need starts another.
    worker.on('error', () => undefined)
    worker.on('exit', () => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      this.#busy = false
    })
    return worker
  }

  #finished(report: CheckpointReport): void {
    this.#busy = false
    const remaining = report.logFrames - report.movedFrames
    if (report.error !== undefined || remaining === 0) return
    if (remaining > remainderFrames) {
      this.#grownBytes = checkpointBytes
      return
    }
    try {
      this.#file.statement('PRAGMA wal_checkpoint(PASSIVE)').all()
    } catch (error) {
      this.#file.troubled(error)
    }
  }
}
