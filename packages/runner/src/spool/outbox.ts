import { setTimeout as pause } from 'node:timers/promises'
import { uuidV7 } from '@hotline/client/uuid'
import type { Report, ReportableType } from '@hotline/protocol/commands/agent'
import { type ErrorCode, type ErrorKind, kindOf, type Problem } from '@hotline/protocol/error'
import { limits } from '@hotline/protocol/limits'
import type { Log } from '../log.ts'
import type { ServerLink } from '../server-link.ts'
import { coalesce } from './coalesce.ts'
import { layBeside } from './content.ts'
import type { Batch, Spool, Waiting } from './spool.ts'
import type { Mark } from './told.ts'

/** What became of a report: it is in the log, it no longer fitted, or nobody hears us any more. */
export type Fate = 'kept' | { dropped: ErrorCode } | 'lost'

/** Bytes of events in one batch; a single larger event goes alone. Of fewer than 20,000 members, whatever is in it. */
const batchBytes = 38_000

/** The same of text alone, which has few members: as much as a frame holds, since each batch costs the server a commit. */
const textBatchBytes = 60_000

/** Who sends one batch full of text after the other waits so long between them, so that others come first. */
const breathMs = 1

/** Between two tries of what the server could not take just now. */
const retryMinMs = 250
const retryMaxMs = 10_000

/** An event that waited longer says when it happened. */
const lateMs = 2_000

/** After these nobody will ever take a report of ours again: the session is somebody else's, or not ours to see. */
const final: ReadonlySet<ErrorCode> = new Set(['fenced', 'not_found', 'forbidden', 'unauthenticated'])

/** With these it is the report that is wrong. What is neither goes on being tried. */
const unreadable: ReadonlySet<ErrorKind> = new Set(['invalid', 'too-large', 'unsupported', 'media-type'])

/** An agent's words as they come: one long text each, and little else. */
const texts: ReadonlySet<ReportableType> = new Set(['message.delta', 'thought.delta', 'output.appended'])

/** These may be lost with the machine: the agent's own words come whole at their end, and progress is told again. */
const light: ReadonlySet<ReportableType> = new Set([
  'message.delta',
  'thought.delta',
  'output.appended',
  'step.progressed',
])

/**
 * Sends what waits in the spool: in order, one batch in flight, each with an id of its own for as long as it takes. While
 * one is under way, what comes is joined into the next.
 */
export class Outbox {
  readonly #link: ServerLink
  readonly #stream: string
  readonly #spool: Spool
  readonly #log: Log
  readonly #onLost: (problem: Problem) => void
  readonly #asked = new Map<number, (fate: Fate) => void>()
  readonly #abort = new AbortController()
  #idle: (() => void)[] = []
  #fence: number | undefined
  #sending: Promise<void> | undefined
  /** Up to this event a batch is one event: together they were refused. */
  #aloneTo = 0
  /** The session was taken over: what is sent goes into a branch beside it. */
  #isBeside = false
  /** The batch that was cut last is full of text. */
  #isFlooding = false
  #lost = false

  /** `onLost`: no report of ours will be heard any more; called once. */
  constructor(link: ServerLink, stream: string, spool: Spool, log: Log, onLost: (problem: Problem) => void) {
    this.#link = link
    this.#stream = stream
    this.#spool = spool
    this.#log = log
    this.#onLost = onLost
  }

  /** From here on new batches go out under this fence. */
  open(fence: number): void {
    this.#fence = fence
    this.#wake()
  }

  put(report: Report, mark?: Mark): void {
    if (this.#lost) return
    this.#spool.append(report, mark)
    this.#wake()
  }

  /** Puts a report and tells what became of it. */
  ask(report: Report, mark?: Mark): Promise<Fate> {
    if (this.#lost || this.#isBeside) return Promise.resolve('lost')
    const fate = this.fateOf(this.#spool.append(report, mark))
    this.#wake()
    return fate
  }

  /** What becomes of a report that waits, by its number in the spool. For one reader. */
  fateOf(n: number): Promise<Fate> {
    return new Promise((resolve) => this.#asked.set(n, resolve))
  }

  /** Resolves when nothing waits any more, or nobody hears us, or the signal ends the wait. */
  async flush(signal?: AbortSignal): Promise<void> {
    if (this.#spool.waiting.length === 0 || this.#lost || signal?.aborted) return
    await new Promise<void>((resolve) => {
      this.#idle.push(resolve)
      signal?.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  /** Sends nothing more; what waits stays in the spool. */
  async close(): Promise<void> {
    this.#abort.abort()
    await this.#sending
    this.#settle()
  }

  #wake(): void {
    if (this.#sending || this.#abort.signal.aborted) return
    this.#sending = this.#send()
      .catch((error: unknown) => {
        if (!this.#abort.signal.aborted) this.#log.error('spool failed', { stream: this.#stream, error: String(error) })
      })
      .finally(() => {
        this.#sending = undefined
        if (this.#spool.waiting.length === 0) this.#settle()
        else if (this.#fence !== undefined && !this.#lost && !this.#abort.signal.aborted) this.#wake()
      })
  }

  async #send(): Promise<void> {
    // What is put in the same turn of the loop goes out together.
    await Promise.resolve()
    while (this.#spool.waiting.length > 0 && this.#fence !== undefined && !this.#lost) {
      const batch = this.#spool.batch ?? (await this.#cut(this.#fence))
      await this.#deliver(batch)
      if (this.#isFlooding) await pause(breathMs, undefined, { signal: this.#abort.signal })
    }
  }

  async #cut(fence: number): Promise<Batch> {
    const taken: Waiting[] = []
    let bytes = 0
    let isText = true
    for (const waiting of this.#spool.waiting) {
      const staysText: boolean = isText && texts.has(waiting.report.type)
      const room = (staysText ? textBatchBytes : batchBytes) - bytes
      if (taken.length === limits.reportEvents || (taken.length > 0 && waiting.sizeBytes > room)) break
      isText = staysText
      taken.push(waiting)
      bytes += waiting.sizeBytes
      if (waiting.n <= this.#aloneTo) break
    }
    const [first] = taken
    const last = taken.at(-1)
    if (!first || !last) throw new Error('There is nothing to cut.')
    this.#isFlooding = isText && bytes > batchBytes
    const batch = { id: uuidV7(), to: last.n, fence, late: Date.now() - first.at > lateMs }
    const isLight = taken.every(({ report }) => light.has(report.type))
    await this.#spool.seal(batch, isLight ? 'process' : 'machine')
    return batch
  }

  async #deliver(batch: Batch): Promise<void> {
    const events = this.#spool.waiting.filter(({ n }) => n <= batch.to)
    const { reports, places } = coalesce(events.map((waiting) => withTime(waiting, batch)))
    const { signal } = this.#abort
    /** Digests of content that is on the server already: a batch that is tried again does not put it again. */
    const put = new Set<string>()
    for (let waitMs = retryMinMs; ; waitMs = Math.min(2 * waitMs, retryMaxMs)) {
      const beside = await layBeside(reports, this.#stream, this.#link, put, signal)
      const outcome = beside.ok
        ? await this.#link.command(
            this.#stream,
            this.#isBeside ? 'agent.recover' : 'agent.report',
            { fence: batch.fence, events: beside.reports },
            // Under a name of its own: a name stands for one command.
            { id: this.#isBeside ? `${batch.id}-beside` : batch.id, signal },
          )
        : beside
      signal.throwIfAborted()
      if (outcome.ok) {
        const dropped = new Map(outcome.accepted.dropped?.map(({ index, code }) => [index, code]))
        this.#spool.acknowledge(batch.to)
        for (const [index, { n }] of events.entries()) {
          const code = dropped.get(places[index] ?? -1)
          this.#answer(n, code === undefined ? 'kept' : { dropped: code })
        }
        return
      }
      const { problem } = outcome
      // Only the log itself knows that a session is not there; a request may have been answered by something in between.
      const isFinal = final.has(problem.code) && (beside.ok || problem.code !== 'not_found')
      if (problem.code === 'fenced' && !this.#isBeside) {
        this.#goBeside(problem)
        continue
      }
      if (isFinal) return this.#lose(problem)
      if (unreadable.has(kindOf(problem.code))) return this.#setApart(batch, events, problem)
      this.#log.warn('report waits', { stream: this.#stream, code: problem.code })
      await pause(problem.retryAfterMs ?? waitMs, undefined, { signal })
    }
  }

  /** A batch that cannot be read is our fault, or an agent's that we let through: only the bad event may be lost. */
  #setApart(batch: Batch, events: readonly Waiting[], problem: Problem): void {
    const [only] = events
    if (only && events.length === 1) {
      this.#log.error('report refused and dropped', { stream: this.#stream, type: only.report.type, problem })
      this.#spool.acknowledge(batch.to)
      this.#answer(only.n, { dropped: problem.code })
      return
    }
    this.#spool.uncut(batch.id)
    this.#aloneTo = batch.to
  }

  /** Somebody else speaks for the session. What its agent did here until it ends is still told, to be read. */
  #goBeside(problem: Problem): void {
    this.#isBeside = true
    for (const n of this.#asked.keys()) this.#answer(n, 'lost')
    this.#onLost(problem)
  }

  #lose(problem: Problem): void {
    this.#lost = true
    this.#settle()
    if (!this.#isBeside) this.#onLost(problem)
  }

  #settle(): void {
    if (this.#lost || this.#abort.signal.aborted) {
      for (const n of this.#asked.keys()) this.#answer(n, 'lost')
    }
    const idle = this.#idle
    this.#idle = []
    for (const resolve of idle) resolve()
  }

  #answer(n: number, fate: Fate): void {
    this.#asked.get(n)?.(fate)
    this.#asked.delete(n)
  }
}

function withTime({ at, report }: Waiting, { late }: Batch): Report {
  return late ? { ...report, data: { ...report.data, observedAt: new Date(at).toISOString() } } : report
}
