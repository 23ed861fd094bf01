import type { Socket } from 'node:net'

/** How the other side ended the connection. */
export type StreamEnd = 'end' | 'reset'

/** Thrown when the bytes that were asked for will not come or did not come in time. */
export class ByteReaderError extends Error {
  /** `deadline`, or how the stream ended. */
  readonly why: 'deadline' | StreamEnd
  /** What had come of what was asked for; it stays in the reader. */
  readonly partial: Buffer

  constructor(what: string, why: 'deadline' | StreamEnd, partial: Buffer) {
    super(
      `${what}: ${why === 'deadline' ? 'nothing more in time' : `the stream ended (${why})`}; had ${partial.length} bytes`,
    )
    this.name = 'ByteReaderError'
    this.why = why
    this.partial = partial
  }
}

/** Time for an answer of a busy machine. */
const defaultDeadlineMs = 30_000

/**
 * Reads a socket by demand. What nobody asks for stays in the kernel once the socket's own small buffer is full, so
 * a test can be a slow reader without holding memory. One reader per socket, one read at a time.
 */
export class ByteReader {
  readonly #socket: Socket
  #chunks: Buffer[] = []
  #sizeBytes = 0
  #end: StreamEnd | undefined
  #wake: () => void = () => undefined

  constructor(socket: Socket) {
    this.#socket = socket
    const finish = (end: StreamEnd) => (): void => {
      this.#end ??= end
      this.#wake()
    }
    socket.on('readable', () => this.#wake())
    socket.on('end', finish('end'))
    socket.on('error', finish('reset'))
    socket.on('close', finish('end'))
  }

  /** How the stream ended, as far as it was read. */
  get end(): StreamEnd | undefined {
    return this.#end
  }

  /** Exactly so many bytes. Throws a ByteReaderError. */
  readExactly(sizeBytes: number, what: string, deadlineMs: number = defaultDeadlineMs): Promise<Buffer> {
    return this.#read(what, deadlineMs, () => (this.#sizeBytes >= sizeBytes ? sizeBytes : undefined))
  }

  /** All up to and with the delimiter. Throws a ByteReaderError. */
  readThrough(delimiter: string, what: string, deadlineMs: number = defaultDeadlineMs): Promise<Buffer> {
    return this.#read(what, deadlineMs, () => {
      const at = this.#joined().indexOf(delimiter, 0, 'latin1')
      return at === -1 ? undefined : at + delimiter.length
    })
  }

  /** All up to the end of the stream. Throws a ByteReaderError when it does not end in time. */
  readToEnd(what: string, deadlineMs: number = defaultDeadlineMs): Promise<Buffer> {
    return this.#read(what, deadlineMs, () => (this.#end === undefined ? undefined : this.#sizeBytes))
  }

  /** All that is here, as one piece. */
  #joined(): Buffer {
    const whole = this.#chunks.length === 1 ? this.#chunks[0] : undefined
    const joined = whole ?? Buffer.concat(this.#chunks)
    this.#chunks = [joined]
    return joined
  }

  #takeAvailable(): void {
    for (;;) {
      const more = this.#socket.read() as Buffer | null
      if (more === null) return
      this.#chunks.push(more)
      this.#sizeBytes += more.length
    }
  }

  async #read(what: string, deadlineMs: number, measure: () => number | undefined): Promise<Buffer> {
    let late = false
    const timer = setTimeout(() => {
      late = true
      this.#wake()
    }, deadlineMs)
    try {
      for (;;) {
        let sizeBytes = measure()
        if (sizeBytes === undefined) {
          this.#takeAvailable()
          sizeBytes = measure()
        }
        if (sizeBytes !== undefined) {
          const joined = this.#joined()
          this.#chunks = [joined.subarray(sizeBytes)]
          this.#sizeBytes -= sizeBytes
          return joined.subarray(0, sizeBytes)
        }
        if (this.#end !== undefined) throw new ByteReaderError(what, this.#end, this.#joined())
        if (late) throw new ByteReaderError(what, 'deadline', this.#joined())
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    } finally {
      clearTimeout(timer)
    }
  }
}
