import { randomUUID } from 'node:crypto'
import type { Report } from '@hotline/protocol/commands/agent'
import type { FilePlace, OutputSource } from '@hotline/protocol/events/output'
import type { RedactedStream, Redactor } from '../redact.ts'
import type { Fate } from '../spool/outbox.ts'
import { fit } from './fit-report.ts'
import { sendable } from './sendable.ts'

/** Streaming text goes out after this long, or when so much has come. */
const coalesceMs = 50
const textChars = 1024
const outputChars = 4 * 1024

/** A tool that prints shows all of it each time: not more often than this. */
const progressMs = 500

/** A terminal that is silent for this long shows the few characters that were held back. */
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
}

/** Where reports go. */
export interface ReportSink {
  put(report: Report): void
  ask(report: Report): Promise<Fate>
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
  #waiting: { of: 'text' | OutputSource; pieces: string[]; chars: number; place?: FilePlace } | undefined
  readonly #progress = new Map<string, Report>()
  #timer: NodeJS.Timeout | undefined
  #progressTimer: NodeJS.Timeout | undefined
  #releaseTimer: NodeJS.Timeout | undefined

  /** `messageChars`: characters that one message of an agent may have. */
  constructor(sink: ReportSink, redactor: Redactor, messageChars: number) {
    this.#sink = sink
    this.#redactor = redactor
    this.#messageChars = messageChars
  }

  /** A piece of what the agent says or thinks. */
  text(role: 'agent' | 'thought', source: string, delta: string): void {
    if (this.#text && (this.#text.source !== source || this.#text.role !== role)) this.endText()
    this.#text ??= { source, role, id: source, stream: this.#redactor.stream(), parts: [], chars: 0, bytes: 0 }
    this.#addText(this.#text.stream.push(delta))
  }

  /** What is being said is complete. */
  endText(): void {
    if (!this.#text) return
    this.#addText(this.#text.stream.end())
    this.#completeText()
    this.#text = undefined
  }

  /** A whole message, beside what is being said. Its secrets are masked like all others. */
  say(message: string, text: string): void {
    const shown = this.#redactor.text(text).slice(0, this.#messageChars).toWellFormed()
    this.put({ type: 'message.completed', data: { message, chars: shown.length }, body: { text: shown } })
  }

  /** What the agent's process prints. `place`: where a file is read on from after it. */
  output(source: OutputSource, text: string, place?: FilePlace): void {
    let stream = this.#outputs.get(source)
    if (!stream) this.#outputs.set(source, (stream = this.#redactor.stream()))
    this.#addOutput(source, stream.push(text), place)
    clearTimeout(this.#releaseTimer)
    if (stream.isHolding) {
      const held = stream
      this.#releaseTimer = setTimeout(() => this.#addOutput(source, held.release()), releaseMs)
    }
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
    this.flush()
    this.#sink.put(this.#ready(report))
  }

  ask(report: Report): Promise<Fate> {
    this.flush()
    return this.#sink.ask(this.#ready(report))
  }

  /** What a tool shows so far; the latest counts, so it may be late. */
  progress(step: string, report: Report): void {
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
    for (const report of progress) this.#sink.put(this.#ready(report))
  }

  /** Forgets what was not flushed. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    clearTimeout(this.#progressTimer)
    clearTimeout(this.#releaseTimer)
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
        Object.assign(open, { id: randomUUID(), parts: [], chars: 0, bytes: 0 })
      }
      open.parts.push(piece)
      open.chars += piece.length
      open.bytes += bytes
      this.#await('text', piece, textChars)
    }
  }

  #completeText(): void {
    const open = this.#text
    if (!open || open.chars === 0) return
    this.flush()
    const text = open.parts.join('')
    this.#sink.put(
      open.role === 'agent'
        ? { type: 'message.completed', data: { message: open.id, chars: text.length }, body: { text } }
        : { type: 'thought.completed', data: { thought: open.id }, body: { text } },
    )
  }

  #addOutput(source: OutputSource, text: string, place?: FilePlace): void {
    for (const piece of piecesOf(text, pieceChars)) this.#await(source, piece, outputChars, place)
  }

  #await(of: 'text' | OutputSource, piece: string, chars: number, place?: FilePlace): void {
    if (this.#waiting && this.#waiting.of !== of) this.#flushWaiting()
    this.#waiting ??= { of, pieces: [], chars: 0 }
    if (place !== undefined) this.#waiting.place = place
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
      const { of: source, place } = waiting
      const data = { source, encoding: 'utf8', bytes, ...(place === undefined ? {} : { place }) }
      this.#sink.put({ type: 'output.appended', data, body: { text } })
    } else if (this.#text?.role === 'agent') {
      this.#sink.put({ type: 'message.delta', data: { message: this.#text.id }, body: { text } })
    } else if (this.#text) {
      this.#sink.put({ type: 'thought.delta', data: { thought: this.#text.id }, body: { text } })
    }
  }
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
