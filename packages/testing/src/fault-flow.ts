import type { Socket } from 'node:net'
import type { SeededRandom } from './seed.ts'

/** What one direction of one connection suffers. Sizes and rates without a fault are `Infinity`. */
export interface Faults {
  /** Each chunk is held back this long … */
  readonly delayMs: number
  /** … and up to this much longer, at random; the order stays. */
  readonly jitterMs: number
  /** At most so many bytes a second pass; 0 stops the flow, which its sender feels as back-pressure. */
  readonly bytesPerSecond: number
  /** Written in pieces of this many bytes. */
  readonly sliceBytes: number
  /** Both sides are reset after so many more bytes. */
  readonly cutAfterBytes: number
  /**
   * `open` lets everything through; `swallow` reads and drops bytes, FIN and RST; `drop-answer` does so from the
   * first byte that follows a request, and resets the connection a moment later.
   */
  readonly passage: 'open' | 'swallow' | 'drop-answer'
  /** How long after the first dropped byte of an answer the connection is reset. */
  readonly dropAnswerAfterMs: number
}

/** Nothing wrong at all. */
export const fairWeather: Faults = {
  delayMs: 0,
  jitterMs: 0,
  bytesPerSecond: Infinity,
  sliceBytes: Infinity,
  cutAfterBytes: Infinity,
  passage: 'open',
  dropAnswerAfterMs: 0,
}

/** What a flow needs from the connection that it is half of. */
export interface FlowOptions {
  readonly source: Socket
  readonly sink: Socket
  readonly faults: Faults
  readonly random: SeededRandom
  /** Resets both sides of the connection. */
  readonly cut: () => void
  readonly onForwarded: (sizeBytes: number) => void
  readonly onSwallowed: (sizeBytes: number) => void
}

interface Waiting {
  bytes: Buffer
  readonly arrivedAt: number
  readonly jitter: number
}

/** What a flow holds before it stops reading its source: a window like TCP's, so a delay also bounds the rate. */
const queueLimitBytes = 256 * 1024

/** Unused rate is saved up for this long: what a bandwidth limit lets through at once after a pause. */
const burstMs = 20

/** How many bytes a limited flow may pass at once after it was idle. */
export function burstBytes(bytesPerSecond: number): number {
  return Math.max(1, (bytesPerSecond * burstMs) / 1000)
}

/**
 * One direction of one proxied connection. There is no loop: every event (bytes came, a write finished, a timer rang,
 * the faults changed) calls `#step`, which does what is possible now and leaves at most one timer or one write behind.
 */
export class Flow {
  readonly #options: FlowOptions
  #faults: Faults
  #queue: Waiting[] = []
  #queuedBytes = 0
  #endedAt: number | undefined
  #finished = false
  #busy = false
  #armed = false
  #lost = false
  #closed = false
  #allowance: number
  #credit = 0
  #creditedAt = performance.now()
  #timer: NodeJS.Timeout | undefined
  #cutTimer: NodeJS.Timeout | undefined

  constructor(options: FlowOptions) {
    this.#options = options
    this.#faults = options.faults
    this.#allowance = options.faults.cutAfterBytes
    options.source.on('data', (bytes) => this.#take(bytes))
    options.source.on('end', () => {
      this.#endedAt = performance.now()
      this.#step()
    })
  }

  /** True when a byte, a FIN or a RST was swallowed: no later byte may follow, because TCP has no holes. */
  get lost(): boolean {
    return this.#lost
  }

  /** Changes what the flow suffers, from the next byte on; bytes that are held back are looked at again. */
  change(faults: Partial<Faults>): void {
    this.#faults = { ...this.#faults, ...faults }
    // Counts start again only with the fault that they belong to.
    if (faults.cutAfterBytes !== undefined) this.#allowance = faults.cutAfterBytes
    if (faults.passage !== undefined) this.#armed = false
    this.#credit = 0
    this.#creditedAt = performance.now()
    this.#step()
  }

  /** A request went the other way: under `drop-answer` the next byte is the answer to drop. */
  arm(): void {
    if (this.#faults.passage === 'drop-answer') this.#armed = true
  }

  /** The source's socket is closed: without a FIN before, that was a reset or an address that nobody listens at. */
  sourceClosed(): void {
    if (this.#closed || this.#endedAt !== undefined) return
    if (this.#swallows()) this.#lost = true
    else this.#options.cut()
  }

  /** The connection is over: nothing is held any longer. */
  close(): void {
    this.#closed = true
    this.#queue = []
    clearTimeout(this.#timer)
    clearTimeout(this.#cutTimer)
  }

  #swallows(): boolean {
    return this.#faults.passage === 'swallow' || (this.#faults.passage === 'drop-answer' && this.#armed)
  }

  #take(bytes: Buffer): void {
    this.#queue.push({ bytes, arrivedAt: performance.now(), jitter: this.#options.random.float() })
    this.#queuedBytes += bytes.length
    if (this.#queuedBytes >= queueLimitBytes) this.#options.source.pause()
    this.#step()
  }

  #step(): void {
    if (this.#closed || this.#busy) return
    clearTimeout(this.#timer)
    if (this.#swallows()) {
      this.#swallow()
      return
    }
    const head = this.#queue[0]
    if (head === undefined) {
      if (this.#endedAt !== undefined && !this.#isHeld(this.#endedAt, 0)) this.#finish()
      return
    }
    if (this.#isHeld(head.arrivedAt, head.jitter)) return
    if (this.#allowance === 0) {
      this.#options.cut()
      return
    }
    const sizeBytes = Math.min(head.bytes.length, this.#faults.sliceBytes, this.#allowance, this.#affordable(head))
    if (sizeBytes > 0) this.#forward(head, sizeBytes)
  }

  /** Whether the delay still holds back what came then; sets the timer if so. */
  #isHeld(arrivedAt: number, jitter: number): boolean {
    const heldMs = arrivedAt + this.#faults.delayMs + jitter * this.#faults.jitterMs - performance.now()
    if (heldMs <= 0) return false
    this.#stepAfter(heldMs)
    return true
  }

  /** What the bandwidth limit allows now; sets the timer when that is nothing. */
  #affordable(head: Waiting): number {
    const { bytesPerSecond, sliceBytes } = this.#faults
    if (bytesPerSecond === Infinity) return Infinity
    if (bytesPerSecond === 0) return 0
    const now = performance.now()
    const burst = burstBytes(bytesPerSecond)
    this.#credit = Math.min(burst, this.#credit + ((now - this.#creditedAt) * bytesPerSecond) / 1000)
    this.#creditedAt = now
    const wanted = Math.min(head.bytes.length, sliceBytes, this.#allowance, Math.floor(burst))
    if (this.#credit >= wanted) return Math.floor(this.#credit)
    this.#stepAfter(((wanted - this.#credit) * 1000) / bytesPerSecond)
    return 0
  }

  #forward(head: Waiting, sizeBytes: number): void {
    const { sink, cut, onForwarded } = this.#options
    if (sink.destroyed || sink.writableEnded) {
      cut()
      return
    }
    this.#busy = true
    this.#allowance -= sizeBytes
    this.#credit -= sizeBytes
    const piece = head.bytes.subarray(0, sizeBytes)
    head.bytes = head.bytes.subarray(sizeBytes)
    if (head.bytes.length === 0) this.#queue.shift()
    this.#release(sizeBytes)
    sink.write(piece, (error) => {
      if (this.#closed) return
      if (error) {
        cut()
        return
      }
      onForwarded(sizeBytes)
      // A turn of the event loop between two slices lets their reader see them apart.
      if (this.#allowance === 0) cut()
      else if (this.#faults.sliceBytes === Infinity) this.#goOn()
      else setImmediate(() => this.#goOn())
    })
  }

  #goOn(): void {
    this.#busy = false
    this.#step()
  }

  #swallow(): void {
    const sizeBytes = this.#queuedBytes
    if (sizeBytes > 0 || (this.#endedAt !== undefined && !this.#finished)) this.#lost = true
    if (sizeBytes === 0) return
    this.#queue = []
    this.#release(sizeBytes)
    this.#options.onSwallowed(sizeBytes)
    if (this.#faults.passage === 'drop-answer') {
      this.#cutTimer ??= setTimeout(this.#options.cut, this.#faults.dropAnswerAfterMs)
    }
  }

  #finish(): void {
    if (this.#finished) return
    this.#finished = true
    if (!this.#options.sink.destroyed) this.#options.sink.end()
  }

  #release(sizeBytes: number): void {
    this.#queuedBytes -= sizeBytes
    const { source } = this.#options
    if (this.#queuedBytes < queueLimitBytes && source.isPaused()) source.resume()
  }

  #stepAfter(waitMs: number): void {
    this.#timer = setTimeout(() => this.#step(), Math.ceil(waitMs))
  }
}
