import { limits } from '@hotline/protocol/limits'
import type { SharedFrame, Without } from './shared-frame.ts'
import type { Page, StreamFeed } from './stream-feed.ts'

/** Where a follower writes. Several followers share one. */
export interface Sink {
  send(frame: SharedFrame): void
  /** True while nothing more of bulk should be written: the socket is full. `Follower.resume` is called when it is not. */
  readonly full: boolean
  /** False where nobody says what was applied: then only the socket paces. */
  readonly acknowledges: boolean
}

/**
 * A cursor and a pump. It sends pages from where it stands until it reaches the head, then passes on what comes. When
 * the socket is full, or the client has not acknowledged for too long, it stops and keeps nothing but its position.
 *
 *   catching up ──(at the head)──▶ live ──(socket full, or a page missed)──▶ catching up
 */
export class Follower {
  readonly feed: StreamFeed
  readonly #sink: Sink
  readonly #without: Without
  readonly #caughtUp: (seq: number) => void
  readonly #failed: (error: unknown) => void
  readonly #leave: () => void
  #seq: number
  #live = false
  #pumping = false
  #closed = false
  /** Sent pages that were not acknowledged: their last position and size. */
  #sent: { to: number; bytes: number }[] = []
  #unacknowledged = 0

  constructor(
    feed: StreamFeed,
    after: number,
    sink: Sink,
    on: { caughtUp: (seq: number) => void; failed: (error: unknown) => void },
    without?: Without,
  ) {
    this.feed = feed
    this.#seq = after
    this.#sink = sink
    this.#without = without
    this.#caughtUp = on.caughtUp
    this.#failed = on.failed
    this.#leave = feed.listen({ grown: (page, urgent) => this.#grown(page, urgent) })
  }

  /** Goes on after the socket has drained, or for the first time. */
  resume(): void {
    if (this.#live || this.#pumping || this.#closed) return
    this.#pumping = true
    this.#pump()
  }

  /** The client has applied everything up to here. */
  acknowledge(seq: number): void {
    while (this.#sent[0] && this.#sent[0].to <= seq) this.#unacknowledged -= this.#sent.shift()?.bytes ?? 0
    this.resume()
  }

  close(): void {
    this.#closed = true
    this.#leave()
  }

  #grown(page: Page, urgent: readonly SharedFrame[]): void {
    if (this.#closed) return
    if (this.#live && page.from === this.#seq + 1 && !this.#blocked()) {
      this.#write(page)
      return
    }
    if (this.#live && page.from > 0 && page.to <= this.#seq) return
    this.#live = false
    if (!this.#pumping) for (const frame of urgent) this.#sink.send(frame)
    this.resume()
  }

  #pump(): void {
    while (!this.#closed && !this.#blocked()) {
      const next = this.feed.pageAfter(this.#seq)
      if (next === undefined) {
        this.#live = true
        this.#pumping = false
        this.#caughtUp(this.#seq)
        return
      }
      if (next instanceof Promise) {
        next.then(
          (page) => {
            if (page && page.from === this.#seq + 1 && !this.#closed) this.#write(page)
            this.#pump()
          },
          (error: unknown) => {
            this.#pumping = false
            this.#failed(error)
          },
        )
        return
      }
      this.#write(next)
    }
    this.#pumping = false
  }

  #write(page: Page): void {
    this.#seq = page.to
    const frame = page.frame(this.#without)
    if (this.#sink.acknowledges) {
      const bytes = frame.json.length
      this.#sent.push({ to: page.to, bytes })
      this.#unacknowledged += bytes
    }
    this.#sink.send(frame)
  }

  #blocked(): boolean {
    return this.#sink.full || this.#unacknowledged > limits.unacknowledgedBytes
  }
}
