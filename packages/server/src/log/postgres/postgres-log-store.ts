import type {
  Append,
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
import { enqueue, type WaitingGroup } from '../waiting-group.ts'
import { BatchWriter } from './batch-writer.ts'
import type { BatchWriterOptions } from './batch-writer.ts'
import type { Outcome } from './prepare-batch.ts'
import { PostgresReader } from './postgres-reader.ts'

/** Transactions at once. More gave no more throughput when it was measured, only longer waits. */
const lanes = 4

/** One transaction takes no more than this. */
const batchEvents = 1_000

/**
 * The log in PostgreSQL. Up to four transactions run at once, never two for the same stream, so the order inside a stream
 * is the order of the calls; whatever waits when a lane is free goes together into the next transaction.
 */
export class PostgresLogStore implements LogStore {
  readonly #options: BatchWriterOptions
  readonly #writer: BatchWriter
  readonly #reader: PostgresReader
  #waiting: WaitingGroup[] = []
  readonly #busy = new Set<string>()
  readonly #running = new Set<Promise<void>>()
  #drain: NodeJS.Immediate | undefined
  #closed = false

  constructor(options: BatchWriterOptions) {
    this.#options = options
    this.#writer = new BatchWriter(options)
    this.#reader = new PostgresReader(options.pool)
  }

  append(group: readonly Append[]): Promise<AppendResult> {
    if (this.#closed) return Promise.resolve({ ok: false, reason: 'unavailable', detail: 'the store is closed' })
    const answer = enqueue(group, this.#waiting, this.#options.observer)
    this.#schedule()
    return answer
  }

  head(stream: string): Promise<StreamHead | undefined> {
    return this.#reader.head(stream)
  }

  read(stream: string, range: ReadRange): Promise<readonly StoredEvent[]> {
    return this.#reader.read(stream, range)
  }

  readSubjects(
    stream: string,
    subjects: readonly string[],
    after: number,
    limit: number,
  ): Promise<readonly StoredEvent[]> {
    return this.#reader.readSubjects(stream, subjects, after, limit)
  }

  readAt(stream: string, seqs: readonly number[]): Promise<readonly StoredEvent[]> {
    return this.#reader.readAt(stream, seqs)
  }

  readEnds(of: readonly StreamSubject[]): Promise<readonly (SubjectEnds | undefined)[]> {
    return this.#reader.readEnds(of)
  }

  findCommands(stream: string, keys: readonly CommandKey[]): Promise<readonly (KnownCommand | undefined)[]> {
    return this.#reader.findCommands(stream, keys)
  }

  erase(stream: string, what: ErasedBodies): Promise<number> {
    return this.#reader.erase(stream, what)
  }

  readChain(stream: string, after: number, limit: number): Promise<ChainPage | undefined> {
    return this.#reader.readChain(stream, after, limit)
  }

  streams(after: string, limit: number): Promise<readonly string[]> {
    return this.#reader.streams(after, limit)
  }

  verify(stream: string): Promise<{ seq: number; reason: string } | undefined> {
    return this.#reader.verify(stream)
  }

  /** Waits for what was appended, then gives the connections back. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    while (this.#waiting.length > 0 || this.#running.size > 0) {
      clearImmediate(this.#drain)
      this.#dispatch()
      await Promise.race(this.#running)
    }
    await this.#options.pool.end()
  }

  #schedule(): void {
    if (this.#waiting.length > 0 && this.#running.size < lanes) this.#drain ??= setImmediate(() => this.#dispatch())
  }

  #dispatch(): void {
    this.#drain = undefined
    if (this.#running.size >= lanes) return
    const batch = this.#takeBatch()
    if (batch.length === 0) return
    const streams = batch.flatMap(({ group }) => group.map(({ stream }) => stream))
    for (const stream of streams) this.#busy.add(stream)
    const running = this.#run(batch).finally(() => {
      this.#running.delete(running)
      for (const stream of streams) this.#busy.delete(stream)
      this.#schedule()
    })
    this.#running.add(running)
  }

  /** Groups whose streams are free, in order; a stream for which an earlier group waits is not free. */
  #takeBatch(): WaitingGroup[] {
    const blocked = new Set(this.#busy)
    const batch: WaitingGroup[] = []
    const left: WaitingGroup[] = []
    let events = 0
    for (const waiting of this.#waiting) {
      if (events < batchEvents && !waiting.group.some(({ stream }) => blocked.has(stream))) {
        batch.push(waiting)
        events += waiting.events
      } else {
        left.push(waiting)
        for (const { stream } of waiting.group) blocked.add(stream)
      }
    }
    this.#waiting = left
    return batch
  }

  async #run(batch: readonly WaitingGroup[]): Promise<void> {
    const outcomes = await this.#writer.write(batch.map(({ group }) => group))
    try {
      this.#options.failpoints.hit('after_commit_before_publish')
      for (const [at, { resolve, reject }] of batch.entries()) settle(outcomes[at], resolve, reject)
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
}

function settle(
  outcome: Outcome | undefined,
  resolve: (result: AppendResult) => void,
  reject: (error: unknown) => void,
): void {
  if (outcome === undefined) reject(new Error('a group was not answered'))
  else if (outcome instanceof Error) reject(outcome)
  else resolve(outcome)
}
