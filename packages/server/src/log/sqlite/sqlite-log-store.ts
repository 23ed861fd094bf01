import type { Ids } from '../../machine/ids.ts'
import type { Failpoints } from '../failpoints.ts'
import { type LogObserver, unobserved } from '../log-observer.ts'
import type {
  Append,
  AppendRefusal,
  AppendResult,
  ChainPage,
  CommandKey,
  ErasedBodies,
  KnownCommand,
  LogStore,
  ReadRange,
  StoredEvent,
  StreamHead,
  StreamSubject,
  SubjectEnds,
} from '../log-store.ts'
import type { HeadEntry } from '../head-cache.ts'
import { appendedOf } from '../plan-group.ts'
import type { PlannedAppend } from '../plan-group.ts'
import { enqueue, type WaitingGroup } from '../waiting-group.ts'
import type { Checkpointer } from './checkpointer.ts'
import { GroupWriter } from './group-writer.ts'
import { sqliteTrouble } from './sqlite-errors.ts'
import type { SqliteFile } from './sqlite-file.ts'
import { SqliteReader } from './sqlite-reader.ts'

/** What the store is made of. */
export interface SqliteLogStoreOptions {
  file: SqliteFile
  ids: Ids
  failpoints: Failpoints
  checkpointer: Checkpointer
  observer?: LogObserver | undefined
}

/** What became of one group in a transaction; an Error where it cannot be written at all. */
type Outcome = readonly PlannedAppend[] | AppendRefusal | Error

/** One commit takes no more than this, so that a flood does not hold the event loop for long. */
const commitEvents = 1_000
const commitBytes = 1024 * 1024

/**
 * The log in one SQLite file. An append waits until the turn of the event loop is over; all that came in that turn is one
 * transaction with one sync of the disk. Commits run on the main thread: measured, handing them to a worker costs more than
 * the sync. Reads run between commits on the same connection, so they never see what is not durable.
 */
export class SqliteLogStore implements LogStore {
  readonly #file: SqliteFile
  readonly #failpoints: Failpoints
  readonly #checkpointer: Checkpointer
  readonly #observer: LogObserver
  readonly #writer: GroupWriter
  readonly #reader: SqliteReader
  readonly #waiting: WaitingGroup[] = []
  #drain: NodeJS.Immediate | undefined
  #closed = false
  /** A commit failed while it was synced and the disk does not tell what became of it: it may be read, and not be there. */
  #unsettled = false

  constructor(options: SqliteLogStoreOptions) {
    this.#file = options.file
    this.#failpoints = options.failpoints
    this.#checkpointer = options.checkpointer
    this.#observer = options.observer ?? unobserved
    this.#writer = new GroupWriter(options.file, options.ids)
    this.#reader = new SqliteReader(options.file)
    options.checkpointer.onRelease(() => this.#schedule())
  }

  append(group: readonly Append[]): Promise<AppendResult> {
    if (this.#closed) return Promise.resolve({ ok: false, reason: 'unavailable', detail: 'the store is closed' })
    const answer = enqueue(group, this.#waiting, this.#observer)
    this.#schedule()
    return answer
  }

  head(stream: string): Promise<StreamHead | undefined> {
    return this.#guarded(() => this.#reader.head(stream))
  }

  read(stream: string, range: ReadRange): Promise<readonly StoredEvent[]> {
    return this.#guarded(() => this.#reader.read(stream, range))
  }

  readSubjects(
    stream: string,
    subjects: readonly string[],
    after: number,
    limit: number,
  ): Promise<readonly StoredEvent[]> {
    return this.#guarded(() => this.#reader.readSubjects(stream, subjects, after, limit))
  }

  readAt(stream: string, seqs: readonly number[]): Promise<readonly StoredEvent[]> {
    return this.#guarded(() => this.#reader.readAt(stream, seqs))
  }

  readEnds(of: readonly StreamSubject[]): Promise<readonly (SubjectEnds | undefined)[]> {
    return this.#guarded(() => this.#reader.readEnds(of))
  }

  findCommands(stream: string, keys: readonly CommandKey[]): Promise<readonly (KnownCommand | undefined)[]> {
    return this.#guarded(() => {
      this.#settle()
      return this.#reader.findCommands(stream, keys)
    })
  }

  async erase(stream: string, what: ErasedBodies): Promise<number> {
    const erased = await this.#guarded(() => this.#reader.erase(stream, what))
    // The bodies are gone from the tables; the write-ahead log holds them until it is begun anew. Also where there was
    // nothing left to erase: an earlier life may have died between the two.
    await this.#guarded(() => this.#checkpointer.truncate())
    return erased
  }

  readChain(stream: string, after: number, limit: number): Promise<ChainPage | undefined> {
    return this.#guarded(() => this.#reader.readChain(stream, after, limit))
  }

  streams(after: string, limit: number): Promise<readonly string[]> {
    return this.#guarded(() => this.#reader.streams(after, limit))
  }

  verify(stream: string): Promise<{ seq: number; reason: string } | undefined> {
    return this.#guarded(() => this.#reader.verify(stream))
  }

  /** Commits what waits, then closes the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearImmediate(this.#drain)
    while (this.#waiting.length > 0) this.#commitNext()
    clearImmediate(this.#drain)
    await this.#checkpointer[Symbol.asyncDispose]()
    this.#file[Symbol.dispose]()
  }

  #commitNext(): void {
    this.#drain = undefined
    if (this.#checkpointer.holds && !this.#closed) return
    let events = 0
    const end = this.#waiting.findIndex((waiting) => {
      const full = events >= commitEvents
      events += waiting.events
      return full
    })
    const batch = this.#waiting.splice(0, end === -1 ? this.#waiting.length : end)
    const done = this.#commit(batch)
    this.#waiting.unshift(...batch.slice(done))
    this.#schedule()
  }

  #schedule(): void {
    if (this.#waiting.length > 0 && !this.#checkpointer.holds) this.#drain ??= setImmediate(() => this.#commitNext())
  }

  /** One transaction for as many of the groups as it may hold; answers how many that were, all of them settled. */
  #commit(batch: readonly WaitingGroup[]): number {
    const outcomes: Outcome[] = []
    const startedMs = performance.now()
    try {
      this.#write(batch, outcomes)
      this.#observer.committed(performance.now() - startedMs)
    } catch (error) {
      return this.#notCommitted(batch, outcomes, error)
    }
    try {
      this.#failpoints.hit('after_commit_before_publish')
      settle(batch, outcomes)
    } catch (error) {
      for (const { reject } of batch.slice(0, outcomes.length)) reject(error)
    }
    this.#checkpointer.wrote(outcomes.reduce((sum, outcome) => sum + sizeOf(outcome), 0))
    return outcomes.length
  }

  #write(batch: readonly WaitingGroup[], outcomes: Outcome[]): void {
    this.#failpoints.hit('before_write')
    this.#settle()
    this.#file.begin()
    let sizeBytes = 0
    for (const { group } of batch) {
      const outcome = this.#writer.write(group)
      outcomes.push(outcome)
      sizeBytes += sizeOf(outcome)
      if (sizeBytes >= commitBytes) break
    }
    this.#writer.flush()
    this.#failpoints.hit('after_write_before_sync')
    this.#file.commit()
    this.#failpoints.hit('after_sync')
    this.#writer.committed()
  }

  #notCommitted(batch: readonly WaitingGroup[], outcomes: readonly Outcome[], error: unknown): number {
    const intended = this.#writer.rolledBack()
    const reason = this.#undo(error)
    const trouble = sqliteTrouble(error)
    if (trouble === 'bug' || trouble === 'constraint') {
      // Somebody's append cannot be written at all. Alone, each fails or succeeds for itself.
      if (batch.length > 1) for (const waiting of batch) this.#commit([waiting])
      else for (const { reject } of batch) reject(reason)
      return batch.length
    }
    const found = trouble === 'suspect' ? this.#lookOnDisk(intended) : 'absent'
    if (found === 'present') {
      settle(batch, outcomes)
      return outcomes.length
    }
    this.#unsettled ||= found === 'unknown'
    const refusal = { ok: false, reason: 'unavailable', detail: reason.message } as const
    for (const { resolve } of batch) resolve(found === 'unknown' ? { ...refusal, outcome: 'unknown' } : refusal)
    return batch.length
  }

  /** Takes the open transaction back, by giving up the connection if there is no other way. */
  #undo(error: unknown): Error {
    const reason = this.#file.troubled(error)
    try {
      this.#file.rollback()
    } catch (failure) {
      this.#file.troubled(failure)
      this.#file.giveUp()
    }
    return reason
  }

  /**
   * After a commit that failed while it was synced, its frames may lie in the write-ahead log all the same, and whoever
   * opens the file next would find them. So the file is opened anew, what is there is moved and synced, and the heads say
   * which way it went.
   */
  #lookOnDisk(intended: ReadonlyMap<string, HeadEntry>): 'present' | 'absent' | 'unknown' {
    try {
      this.#checkpointer.truncateNow()
      const moved = [...intended].filter(([, head]) => head.head > 0)
      const present = moved.length > 0 && moved.every(([stream, head]) => sameHash(this.#writer.headOf(stream), head))
      return present ? 'present' : 'absent'
    } catch (error) {
      this.#undo(error)
      return 'unknown'
    }
  }

  /** Nothing is built on what may not be on the disk: it is moved and synced first. Throws what SQLite throws. */
  #settle(): void {
    if (!this.#unsettled) return
    this.#checkpointer.truncateNow()
    this.#unsettled = false
  }

  async #guarded<T>(run: () => T | Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (error) {
      throw this.#undo(error)
    }
  }
}

function settle(batch: readonly WaitingGroup[], outcomes: readonly Outcome[]): void {
  for (const [at, outcome] of outcomes.entries()) {
    const waiting = batch[at]
    if (outcome instanceof Error) waiting?.reject(outcome)
    else if ('ok' in outcome) waiting?.resolve(outcome)
    else waiting?.resolve({ ok: true, appended: outcome.map(appendedOf) })
  }
}

function sizeOf(outcome: Outcome): number {
  if (outcome instanceof Error || 'ok' in outcome) return 0
  return outcome.reduce((sum, { events }) => sum + events.reduce((bytes, event) => bytes + event.wire.length, 0), 0)
}

function sameHash(found: HeadEntry | undefined, intended: HeadEntry): boolean {
  return found !== undefined && Buffer.compare(found.hash, intended.hash) === 0
}
