/** What a stretch of bytes brought to its end. */
export interface Finished {
  /** Whole frames, fragments and control frames included. */
  frames: number
  /** Whole messages, and control frames that stood between messages. */
  messages: number
}

/**
 * Follows where frames of RFC 6455 begin and end, by their headers alone; what is wrong with them is for who reads them.
 * The library tells of whole messages only, and one that never ends would look like silence, or like life.
 */
export class FrameWatch {
  readonly #header = new Uint8Array(14)
  #headerBytes = 0
  #payloadLeft = 0
  #fragmented = false

  /** True in the middle of a frame, or of a message whose last fragment has not come. */
  get unfinished(): boolean {
    return this.#headerBytes > 0 || this.#fragmented
  }

  take(bytes: Uint8Array): Finished {
    const finished = { frames: 0, messages: 0 }
    for (let at = 0; at < bytes.length;) {
      if (this.#payloadLeft > 0) {
        const step = Math.min(this.#payloadLeft, bytes.length - at)
        this.#payloadLeft -= step
        at += step
      } else {
        this.#header[this.#headerBytes] = bytes[at] ?? 0
        this.#headerBytes += 1
        at += 1
        if (this.#headerBytes < headerLength(this.#header, this.#headerBytes)) continue
        this.#payloadLeft = payloadLength(this.#header)
      }
      if (this.#payloadLeft > 0) continue
      const [first = 0] = this.#header
      if ((first & 0x0f) < 8) this.#fragmented = (first & 0x80) === 0
      this.#headerBytes = 0
      finished.frames += 1
      if (!this.#fragmented) finished.messages += 1
    }
    return finished
  }
}

/** How long a header is, as far as its first bytes tell. */
function headerLength(header: Uint8Array, known: number): number {
  if (known < 2) return 2
  const second = header[1] ?? 0
  const marker = second & 0x7f
  return 2 + (marker === 126 ? 2 : marker === 127 ? 8 : 0) + ((second & 0x80) === 0 ? 0 : 4)
}

function payloadLength(header: Uint8Array): number {
  const view = new DataView(header.buffer)
  const marker = view.getUint8(1) & 0x7f
  if (marker < 126) return marker
  return marker === 126 ? view.getUint16(2) : Number(view.getBigUint64(2))
}
