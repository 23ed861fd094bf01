import { Buffer } from 'node:buffer'

/** A line as it came, or word of one that was too long and is gone. */
export type Line = { text: string } | { droppedBytes: number }

/** Cuts bytes into lines. A line over the limit is not kept: word of it comes with each further `limitBytes` of it. */
export class LineSplitter {
  readonly #limitBytes: number
  #pieces: Buffer[] = []
  #bytes = 0
  #dropping = false

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  /** The lines that this piece completes, in order. */
  *feed(chunk: Buffer): Generator<Line> {
    let from = 0
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      yield* this.#take(chunk.subarray(from, at))
      from = at + 1
      yield* this.#endLine()
    }
    yield* this.#take(chunk.subarray(from))
  }

  *#take(piece: Buffer): Generator<Line> {
    this.#bytes += piece.length
    if (this.#bytes <= this.#limitBytes) {
      if (!this.#dropping && piece.length > 0) this.#pieces.push(piece)
      return
    }
    yield { droppedBytes: this.#bytes }
    this.#dropping = true
    this.#pieces = []
    this.#bytes = 0
  }

  *#endLine(): Generator<Line> {
    const text = this.#dropping ? '' : Buffer.concat(this.#pieces).toString('utf8').trim()
    this.#dropping = false
    this.#pieces = []
    this.#bytes = 0
    if (text !== '') yield { text }
  }
}
