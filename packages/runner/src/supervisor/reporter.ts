import type { Attachment } from '@hotline/protocol/attachment'
import type { Report } from '@hotline/protocol/commands/agent'
import type { FilePlace, OutputSource } from '@hotline/protocol/events/output'
import type { RedactedStream, Redactor } from '../redact.ts'
import type { Fate } from '../spool/outbox.ts'
import type { Mark, Told } from '../spool/told.ts'
import { fit } from './fit-report.ts'
import { Hearing } from './hearing.ts'
import { uuidOf } from '../uuid-of.ts'
import { sendable } from './sendable.ts'

/** Streaming text goes out after this long, or when so much has come. */
const coalesceMs = 50
const textChars = 1024
const outputChars = 4 * 1024

/** A tool that prints shows all of it each time: not more often than this. */
const progressMs = 500

/** What is silent for this long shows the few characters that were held back: a prompt, or the end of a sentence. */
const releaseMs = 250

/** Pieces of one event, and JSON bytes of one whole message: below what one event may have, escapes included. */
const pieceChars = 16 * 1024
const messageBytes = 200 * 1024

interface OpenText {
  /** The adapter's name for it. */
  source: string
  role: 'agent' | 'thought'
  /** The name in the log; another one where a long text is split. */
  id: string
  stream: RedactedStream
  parts: string[]
  chars: number
  bytes: number
  /** Characters that were reported, also by an earlier life, and how many of these are still to be left out. */
  sent: number
  skip: number
}

/** Where reports go. */
export interface ReportSink {
  put(report: Report, mark?: Mark): void
  ask(report: Report, mark?: Mark): Promise<Fate>
}

/** Where a piece of output stands: in the file that is followed, or among the bytes that the process printed. */
export interface Whence {
  place?: FilePlace | undefined
  at?: number | undefined
}

/**
 * Between the agent's events and the spool: secrets are masked, pieces are joined, long messages split, and the order of
 * everything else is kept. All that leaves here may be read by whoever may read the session.
 */
export class Reporter implements Disposable {
  readonly #sink: ReportSink
  readonly #redactor: Redactor
  readonly #messageChars: number
  #text: OpenText | undefined
  readonly #outputs = new Map<OutputSource, RedactedStream>()
  /** What was shown by its source and waits to be sent: of one kind at a time, so that the order stays. */
  #waiting: ({ of: 'text' | OutputSource; pieces: string[]; chars: number } & Whence) | undefined
  readonly #hearing: Hearing
  readonly #progress = new Map<string, Report>()
  #timer: NodeJS.Timeout | undefined
  #progressTimer: NodeJS.Timeout | undefined
  #releaseTimer: NodeJS.Timeout | undefined
  #textTimer: NodeJS.Timeout | undefined

  /** `messageChars`: characters that one message of an agent may have. `told`: what an earlier life has reported of it. */
  constructor(sink: ReportSink, redactor: Redactor, messageChars: number, told?: Told) {
    this.#sink = sink
    this.#redactor = redactor
    this.#messageChars = messageChars
    this.#hearing = new Hearing(told)
  }

  /** What is reported from here to `heard` comes of something that the agent said, up to this byte of its output. */
  hear(at: number | undefined): void {
    this.#hearing.begin(at)
  }

  /** See `hear`. */
  heard(): void {
    this.#hearing.end()
  }

  /** A piece of what the agent says or thinks. */
  text(role: 'agent' | 'thought', source: string, delta: string): void {
    if (this.#text && (this.#text.source !== source || this.#text.role !== role)) this.endText()
    this.#text ??= {
      source,
      role,
      id: source,
      stream: this.#redactor.stream(),
      parts: [],
      chars: 0,
      bytes: 0,
      sent: 0,
      skip: this.#hearing.toldChars(source),
    }
    const open = this.#text
    this.#addText(open.stream.push(delta))
    clearTimeout(this.#textTimer)
    if (!open.stream.isHolding) return
    this.#textTimer = setTimeout(() => this.#text === open && this.#addText(open.stream.release()), releaseMs)
  }

  /** What is being said is complete. */
  endText(): void {
    clearTimeout(this.#textTimer)
    if (!this.#text) return
    this.#addText(this.#text.stream.end())
    this.#completeText()
    this.#text = undefined
  }

  /** A whole message, beside what is being said, with files that were uploaded. Its secrets are masked like all others. */
  say(message: string, text: string, attachments: readonly Attachment[] = []): void {
    const shown = this.#redactor.text(text).slice(0, this.#messageChars).toWellFormed()
    const body = { text: shown, ...(attachments.length === 0 ? {} : { attachments }) }
    this.put({ type: 'message.completed', data: { message, chars: shown.length }, body })
  }

  /** What the agent's process prints. Answers what an earlier life has reported of it, and is not reported again. */
  output(source: OutputSource, text: string, { place, at }: Whence = {}): string | undefined {
    let stream = this.#outputs.get(source)
    if (!stream) this.#outputs.set(source, (stream = this.#redactor.stream()))
    const shown = stream.push(text)
    if (this.#hearing.isOutputTold(source, at)) return shown
    // What is held back is read again by a later life.
    this.#addOutput(source, shown, { place, at: at === undefined ? undefined : at - stream.heldBytes })
    clearTimeout(this.#releaseTimer)
    if (stream.isHolding) {
      const held = stream
      this.#releaseTimer = setTimeout(() => this.#addOutput(source, held.release()), releaseMs)
    }
    return undefined
  }

  /** The process prints nothing more. */
  endOutput(): void {
    clearTimeout(this.#releaseTimer)
    for (const [source, stream] of this.#outputs) this.#addOutput(source, stream.end())
    this.#outputs.clear()
    this.flush()
  }

  /** Anything else, in its order. */
  put(report: Report): void {
    // What goes before it must not say that this one is told.
    this.flush()
    if (this.#hearing.isReportTold()) return
    this.#sink.put(this.#ready(report), this.#mark())
  }

  /** `told`: an earlier life has put it. */
  ask(report: Report): Promise<Fate | 'told'> {
    this.flush()
    if (this.#hearing.isReportTold()) return Promise.resolve('told')
    return this.#sink.ask(this.#ready(report), this.#mark())
  }

  /** What a tool shows so far; the latest counts, so it may be late. */
  progress(step: string, report: Report): void {
    if (this.#hearing.isProgressTold()) return
    const before = this.#progress.get(step)
    this.#progress.set(step, before ? { ...report, body: { ...before.body, ...report.body } } : report)
    this.#progressTimer ??= setTimeout(() => {
      this.#progressTimer = undefined
      this.flush()
    }, progressMs)
  }

  /** Sends what waits to be joined. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#flushWaiting()
    const progress = [...this.#progress.values()]
    this.#progress.clear()
    for (const [index, report] of progress.entries()) {
      // Together they stand for all progress up to here: only the last one says so.
      const isLast = index === progress.length - 1
      this.#sink.put(this.#ready(report), isLast ? { ...this.#mark(), progress: this.#hearing.position } : this.#mark())
    }
  }

  /** Forgets what was not flushed. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    clearTimeout(this.#progressTimer)
    clearTimeout(this.#releaseTimer)
    clearTimeout(this.#textTimer)
  }

  #ready(report: Report): Report {
    const { type, data, body } = sendable(this.#redactor.value(report)) as Report
    return fit({ type, data, ...(body === undefined ? {} : { body }) })
  }

  #addText(text: string): void {
    for (const piece of piecesOf(text, textChars)) {
      const open = this.#text
      if (!open) return
      const bytes = Buffer.byteLength(JSON.stringify(piece))
      if (open.chars > 0 && (open.chars + piece.length > this.#messageChars || open.bytes + bytes > messageBytes)) {
        this.#completeText()
        const id = nextId(open.id)
        Object.assign(open, { id, parts: [], chars: 0, bytes: 0, sent: 0, skip: this.#hearing.toldChars(id) })
      }
      open.parts.push(piece)
      open.chars += piece.length
      open.bytes += bytes
      const skipped = Math.min(open.skip, piece.length)
      open.skip -= skipped
      open.sent += skipped
      if (skipped < piece.length) this.#await('text', piece.slice(skipped), textChars)
    }
  }

  #completeText(): void {
    const open = this.#text
    if (!open || open.chars === 0) return
    this.flush()
    if (this.#hearing.isReportTold()) return
    const text = open.parts.join('')
    this.#sink.put(
      open.role === 'agent'
        ? { type: 'message.completed', data: { message: open.id, chars: text.length }, body: { text } }
        : { type: 'thought.completed', data: { thought: open.id }, body: { text } },
      { ...this.#mark(), text: undefined },
    )
  }

  /** The end of it alone says where it stands: what comes before its last piece is read again with it. */
  #addOutput(source: OutputSource, text: string, whence: Whence = {}): void {
    let rest = text.length
    for (const piece of piecesOf(text, pieceChars)) {
      rest -= piece.length
      this.#await(source, piece, outputChars, rest === 0 ? whence : { place: whence.place })
    }
  }

  #await(of: 'text' | OutputSource, piece: string, chars: number, { place, at }: Whence = {}): void {
    if (this.#waiting && this.#waiting.of !== of) this.#flushWaiting()
    this.#waiting ??= { of, pieces: [], chars: 0 }
    if (place !== undefined) this.#waiting.place = place
    if (at !== undefined) this.#waiting.at = at
    this.#waiting.pieces.push(piece)
    this.#waiting.chars += piece.length
    if (this.#waiting.chars >= chars) this.#flushWaiting()
    else this.#timer ??= setTimeout(() => this.flush(), coalesceMs)
  }

  #flushWaiting(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (!waiting) return
    const text = waiting.pieces.join('')
    if (waiting.of !== 'text') {
      const bytes = Buffer.byteLength(text)
      const { of: source, place, at } = waiting
      const data = { source, encoding: 'utf8', bytes, ...(place === undefined ? {} : { place }) }
      const outputs = at === undefined ? undefined : { [source]: at }
      this.#sink.put({ type: 'output.appended', data, body: { text } }, { ...this.#mark(), outputs })
      return
    }
    const open = this.#text
    if (!open) return
    open.sent += text.length
    this.#sink.put(
      open.role === 'agent'
        ? { type: 'message.delta', data: { message: open.id }, body: { text } }
        : { type: 'thought.delta', data: { thought: open.id }, body: { text } },
      this.#mark(),
    )
  }

  #mark(): Mark {
    const { position: heard } = this.#hearing
    return this.#text ? { heard, text: [this.#text.id, this.#text.sent] } : { heard }
  }
}

/** The name of what follows a part of a long text. The same each time, so that a later life goes on under it. */
function nextId(id: string): string {
  return uuidOf(`after ${id}`)
}

/** Cuts between characters, never inside one that takes two units. */
function* piecesOf(text: string, chars: number): Generator<string> {
  for (let at = 0; at < text.length;) {
    let end = Math.min(text.length, at + chars)
    const code = text.charCodeAt(end - 1)
    if (end < text.length && code >= 0xd800 && code <= 0xdbff) end += 1
    yield text.slice(at, end)
    at = end
  }
}
