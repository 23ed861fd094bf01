/** Text that comes in pieces of bytes, and how many bytes it took: half a character at the end of a piece waits. */
export class CountedText {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  #bytes: number
  #waiting: Buffer = Buffer.alloc(0)

  /** `from`: bytes that were before. */
  constructor(from: number = 0) {
    this.#bytes = from
  }

  /** What can be read now, and the byte up to which that is. */
  push(piece: Uint8Array): { text: string; at: number } {
    const tail = Buffer.concat([this.#waiting, piece.subarray(-3)]).subarray(-3)
    const waits = incompleteBytes(tail)
    this.#waiting = tail.subarray(tail.length - waits)
    this.#bytes += piece.length
    return { text: this.#decoder.decode(piece, { stream: true }), at: this.#bytes - waits }
  }

  /** What is left: a character that was cut off. */
  end(): { text: string; at: number } {
    return { text: this.#decoder.decode(), at: this.#bytes }
  }
}

/** Bytes at the end that are the beginning of a character. */
function incompleteBytes(tail: Buffer): number {
  for (let back = 1; back <= tail.length; back += 1) {
    const byte = tail[tail.length - back] ?? 0
    if (byte < 0x80) return 0
    if (byte < 0xc0) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
    return back < length ? back : 0
  }
  return 0
}
