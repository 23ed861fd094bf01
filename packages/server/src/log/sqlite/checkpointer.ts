import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Failpoints } from '../failpoints.ts'
import type { SqliteFile } from './sqlite-file.ts'

/**
 * The write-ahead log is moved into the database when it has grown by about this much. Each time costs syncs of both files
 * and holds commits back for some milliseconds; the log is read whole at the start after a crash.
 */
export const checkpointBytes = 32 * 1024 * 1024

/** After so much it is plain that there will be a checkpoint. To start a thread holds the event loop for 14 ms. */
const preparedBytes = 1024 * 1024

/** That one pass is over; `error` says why it did nothing. */
interface CheckpointReport {
  error?: string
}

/** What a commit writes besides the events themselves: whole pages of tables and indexes, two to five of them. */
const commitOverheadBytes = 16 * 1024
const eventOverhead = 2

/**
 * Moves the write-ahead log into the database, in a thread with a connection of its own, so that the event loop never
 * waits for it. It goes in two passes: the first while commits go on, the second, short one while they are held back;
 * then nothing is left, and the next commit begins the log anew from its start. Without the second pass the log would grow
 * without end under a load that never pauses. The thread starts well before the first need, which often is a flood.
 */
export class Checkpointer implements AsyncDisposable {
  readonly #file: SqliteFile
  readonly #failpoints: Failpoints
  #grownBytes = 0
  #isPrepared = false
  #worker: Worker | undefined
  #phase: 'idle' | 'beside' | 'holding' = 'idle'
  #released: () => void = () => undefined

  constructor(file: SqliteFile, failpoints: Failpoints) {
    this.#file = file
    this.#failpoints = failpoints
  }

  /** True while nobody may commit; `released` is called when that is over. */
  get holds(): boolean {
    return this.#phase === 'holding'
  }

  /** Who is called when commits may go on. */
  onRelease(released: () => void): void {
    this.#released = released
  }

  /** A commit was made; its size is an estimate, which is all that is needed here. */
  wrote(sizeBytes: number): void {
    this.#grownBytes += sizeBytes * eventOverhead + commitOverheadBytes
    if (this.#grownBytes >= preparedBytes) this.#prepare()
    if (this.#grownBytes < checkpointBytes || this.#phase !== 'idle') return
    if (this.#fails('before_checkpoint')) return
    this.#grownBytes = 0
    this.#phase = 'beside'
    this.#worker ??= this.#start()
    this.#worker.postMessage('checkpoint', [])
  }

  /** As `truncateNow`, after the worker has finished what it may be doing. */
  async truncate(): Promise<void> {
    while (this.#phase !== 'idle' && this.#worker !== undefined) await once(this.#worker, 'message')
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

  /** Once: a thread that cannot live is not started with every commit. */
  #prepare(): void {
    if (this.#isPrepared) return
    this.#isPrepared = true
    this.#worker ??= this.#start()
  }

  #start(): Worker {
    const worker = new Worker(new URL('./checkpoint-worker.js', import.meta.url), { workerData: this.#file.path })
    worker.unref()
    worker.on('message', (report: CheckpointReport) => this.#finished(report))
    // Without its worker the log only grows; the next need starts another.
    worker.on('error', () => undefined)
    worker.on('exit', () => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      this.#release()
    })
    return worker
  }

  #finished(report: CheckpointReport): void {
    if (this.#phase === 'beside' && this.#grownBytes > 0 && report.error === undefined) {
      if (this.#fails('between_checkpoint_passes')) return this.#release()
      this.#phase = 'holding'
      this.#grownBytes = 0
      this.#worker?.postMessage('checkpoint', [])
      return
    }
    if (report.error === undefined) this.#fails('after_checkpoint')
    this.#release()
  }

  /** A checkpoint that fails is tried again with a later commit. */
  #fails(name: 'before_checkpoint' | 'between_checkpoint_passes' | 'after_checkpoint'): boolean {
    try {
      this.#failpoints.hit(name)
      return false
    } catch {
      return true
    }
  }

  #release(): void {
    this.#phase = 'idle'
    this.#released()
  }
}
