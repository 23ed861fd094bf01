import { randomUUID } from 'node:crypto'
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  ftruncateSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import type { Report } from '@hotline/protocol/commands/agent'
import { type Intent, readRecords, type SpoolRecord } from './spool-record.ts'
import { type Mark, tell, type Told, toldNothing } from './told.ts'

const sync = promisify(fdatasync)

/** An event that is not yet acknowledged. */
export interface Waiting {
  n: number
  /** Milliseconds of the wall clock. */
  at: number
  report: Report
  /** Of its line in the file. */
  sizeBytes: number
}

/** A part of what waits that goes out as one command. */
export interface Batch {
  id: string
  /** Number of its last event. */
  to: number
  fence: number
  /** Its events waited so long that they say when they happened. */
  late: boolean
}

/** A file that has grown past this is written anew with what is still needed: seldom, as it costs a sync. */
const compactBytes = 4 * 1024 * 1024

/**
 * What one session's agent did and the server has not yet acknowledged, and what was about to be done to the agent: on
 * disk, so that the next life of the runner goes on where this one ended. An event is in the file before it is sent, and
 * survives the end of this process; what must survive the end of the machine is synced.
 */
export class Spool {
  readonly file: string
  readonly #boundBytes: number
  #fd: number
  #fileBytes: number
  #fence: number | undefined
  #lastN = 0
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #batches: Batch[] = []
  readonly #intents = new Map<string, Intent>()
  #roomy: (() => void)[] = []
  #told: Told | undefined
  /** Syncs under way: the file must stay the same file until they are done. */
  #syncs = 0

  /** Opens or makes the file; a tail that a crash cut off is removed. Throws what the file system throws. */
  constructor(file: string, boundBytes: number) {
    this.file = file
    this.#boundBytes = boundBytes
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    this.#fd = openSync(file, 'a+', 0o600)
    const { records, goodBytes } = readRecords(readFileSync(file))
    if (fstatSync(this.#fd).size > goodBytes) ftruncateSync(this.#fd, goodBytes)
    this.#fileBytes = goodBytes
    for (const { record, lineBytes } of records) this.#apply(record, lineBytes)
  }

  /** The fence of the last lease that was written down. */
  get fence(): number | undefined {
    return this.#fence
  }

  /** How far the last run of the agent was told; undefined where none was begun. */
  get told(): Told | undefined {
    return this.#told
  }

  /** Another run of the agent begins. */
  begin(run: string): void {
    this.#write({ k: 'told', told: toldNothing(run) })
  }

  /** Oldest first. */
  get waiting(): readonly Waiting[] {
    return this.#waiting
  }

  /** The oldest part that was cut and not acknowledged. */
  get batch(): Batch | undefined {
    return this.#batches[0]
  }

  /** What was about to be done, with nothing known of how it came out. */
  get intents(): ReadonlyMap<string, Intent> {
    return this.#intents
  }

  /** Undefined where there is room; the agent is not read on while there is none. */
  room(): Promise<void> | undefined {
    if (this.#waitingBytes < this.#boundBytes) return undefined
    return new Promise((resolve) => this.#roomy.push(resolve))
  }

  lease(fence: number): void {
    this.#write({ k: 'lease', fence })
  }

  /** Answers the number of the event. */
  append(report: Report, mark?: Mark): number {
    const n = this.#lastN + 1
    this.#write({ k: 'event', n, at: Date.now(), e: report, ...(mark === undefined ? {} : { m: mark }) })
    return n
  }

  /** Cuts a batch. For `machine` it is on the disk itself before this resolves. */
  async seal(batch: Batch, durability: 'process' | 'machine'): Promise<void> {
    this.#write({ k: 'batch', ...batch })
    if (durability === 'machine') await this.#sync()
  }

  acknowledge(to: number): void {
    this.#write({ k: 'ack', to })
    if (this.#syncs === 0 && this.#fileBytes > compactBytes + 2 * this.#waitingBytes) this.#compact()
    if (this.#waitingBytes < this.#boundBytes) this.#release()
  }

  uncut(id: string): void {
    this.#write({ k: 'uncut', id })
  }

  /** Resolves when it is on the disk. Answers its id. */
  async intend(intent: Intent): Promise<string> {
    const id = randomUUID()
    this.#write({ k: 'intent', id, intent })
    await this.#sync()
    return id
  }

  conclude(id: string): void {
    this.#write({ k: 'done', id })
  }

  close(): void {
    if (this.#fd < 0) return
    const fd = this.#fd
    this.#fd = -1
    closeSync(fd)
    this.#release()
  }

  /** Everything was delivered: nothing of it is kept. */
  remove(): void {
    this.close()
    rmSync(this.file, { force: true })
  }

  /** Somebody else holds the session: what was not delivered is kept beside, and read by nobody. */
  setAside(): void {
    this.close()
    if (this.#waiting.length > 0) renameSync(this.file, `${this.file}.undelivered-${Date.now()}`)
    else rmSync(this.file, { force: true })
  }

  #write(record: SpoolRecord): void {
    const line = Buffer.from(`${JSON.stringify(record)}\n`)
    this.#apply(record, line.length)
    if (this.#fd < 0) return
    writeSync(this.#fd, line)
    this.#fileBytes += line.length
  }

  async #sync(): Promise<void> {
    if (this.#fd < 0) return
    this.#syncs += 1
    try {
      await sync(this.#fd)
    } finally {
      this.#syncs -= 1
    }
  }

  #apply(record: SpoolRecord, sizeBytes: number): void {
    switch (record.k) {
      case 'lease':
        this.#fence = record.fence
        return
      case 'event': {
        const { n, at, e: report, m: mark } = record
        if (this.#told && mark) this.#told = tell(this.#told, mark)
        const text = report.type === 'screen.saved' ? report.body?.['text'] : undefined
        if (this.#told && typeof text === 'string') {
          this.#told = { ...this.#told, screen: { at: this.#told.outputs.pty ?? 0, text } }
        }
        this.#waiting.push({ n, at, report, sizeBytes })
        this.#waitingBytes += sizeBytes
        this.#lastN = n
        return
      }
      case 'told':
        this.#told = record.told
        return
      case 'batch': {
        const { id, to, fence, late } = record
        this.#batches.push({ id, to, fence, late })
        return
      }
      case 'ack':
        while (this.#waiting[0] && this.#waiting[0].n <= record.to) {
          this.#waitingBytes -= this.#waiting.shift()?.sizeBytes ?? 0
        }
        this.#batches = this.#batches.filter(({ to }) => to > record.to)
        return
      case 'uncut':
        this.#batches = this.#batches.filter(({ id }) => id !== record.id)
        return
      case 'intent':
        this.#intents.set(record.id, record.intent)
        return
      case 'done':
        this.#intents.delete(record.id)
        return
    }
  }

  /** Written beside and put in its place, so that a crash leaves the one or the other. */
  #compact(): void {
    const records: SpoolRecord[] = [
      ...(this.#fence === undefined ? [] : [{ k: 'lease' as const, fence: this.#fence }]),
      ...[...this.#intents].map(([id, intent]) => ({ k: 'intent' as const, id, intent })),
      ...(this.#told === undefined ? [] : [{ k: 'told' as const, told: this.#told }]),
      ...this.#waiting.map(({ n, at, report }) => ({ k: 'event' as const, n, at, e: report })),
      ...this.#batches.map((batch) => ({ k: 'batch' as const, ...batch })),
    ]
    const text = records.map((record) => `${JSON.stringify(record)}\n`).join('')
    const beside = `${this.file}.new`
    rmSync(beside, { force: true })
    const fd = openSync(beside, 'a+', 0o600)
    writeSync(fd, text)
    fdatasyncSync(fd)
    renameSync(beside, this.file)
    closeSync(this.#fd)
    this.#fd = fd
    this.#fileBytes = Buffer.byteLength(text)
  }

  #release(): void {
    const waiting = this.#roomy
    this.#roomy = []
    for (const resolve of waiting) resolve()
  }
}
