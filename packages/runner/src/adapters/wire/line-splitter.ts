import { Buffer } from 'node:buffer'

/** A line as it came, or word of one that is too long to be kept: while it goes on, and when it has ended. */
export type Line = { text: string } | { growingBytes: number } | { droppedBytes: number }

/**
 * Cuts bytes into lines and keeps at most one line of the limit. Of a line over the limit nothing is kept; word of it comes
 * when it passes the limit, with each further `wordBytes` of it, and at its end.
 */
export class LineSplitter {
  readonly #limitBytes: number
  readonly #wordBytes: number
  #pieces: Buffer[] = []
  #bytes = 0
  /** The length at which there is word of the line next. */
  #wordAt: number
  #at: number

  /** `from`: bytes that were before. */
  constructor(limitBytes: number, wordBytes: number = limitBytes, from: number = 0) {
    this.#limitBytes = limitBytes
    this.#at = from
    this.#wordBytes = wordBytes
    this.#wordAt = limitBytes
  }

  /** The byte behind the line that came last. */
  get at(): number {
    return this.#at
  }

  /** The lines that this piece completes, in order. */
  *feed(chunk: Buffer): Generator<Line> {
    let from = 0
    const start = this.#at
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      yield* this.#take(chunk.subarray(from, at))
      from = at + 1
      this.#at = start + from
      yield* this.#endLine()
    }
    yield* this.#take(chunk.subarray(from))
    this.#at = start + chunk.length
  }

  /** Nothing more will come: word of a long line that has no end. The beginning of a short one says nothing. */
  *end(): Generator<Line> {
    if (this.#bytes > this.#limitBytes) yield* this.#endLine()
  }

  *#take(piece: Buffer): Generator<Line> {
    this.#bytes += piece.length
    if (this.#bytes <= this.#limitBytes) {
      if (piece.length > 0) this.#pieces.push(piece)
      return
    }
    this.#pieces = []
    if (this.#bytes <= this.#wordAt) return
    this.#wordAt = this.#bytes + this.#wordBytes
    yield { growingBytes: this.#bytes }
  }

  *#endLine(): Generator<Line> {
    const bytes = this.#bytes
    const [first, ...more] = this.#pieces
    const whole = first && more.length === 0 ? first : Buffer.concat(this.#pieces)
    const text = whole.toString('utf8').trim()
    this.#pieces = []
    this.#bytes = 0
    this.#wordAt = this.#limitBytes
    if (bytes > this.#limitBytes) yield { droppedBytes: bytes }
    else if (text !== '') yield { text }
  }
}
