/**
 * A queue between an adapter, which pushes without waiting, and its one reader. It is bounded by courtesy: whoever feeds
 * it from a pipe asks `room()` before it reads on, so it holds at most the bound and what one read brought.
 */
export class EventQueue<T extends object> implements AsyncIterable<T> {
  readonly #boundBytes: number
  readonly #items: { event: T; sizeBytes: number }[] = []
  #bytes = 0
  #ended = false
  #wake: (() => void) | undefined
  #roomy: (() => void)[] = []
  /** The byte of the agent's output up to which it said what is pushed now; undefined where that is not known. */
  at: number | undefined

  constructor(boundBytes: number) {
    this.#boundBytes = boundBytes
  }

  /** `sizeBytes`: about how much memory the event holds. */
  push(event: T, sizeBytes = 200): void {
    if (this.#ended) return
    if (this.at !== undefined && (event as { at?: number }).at === undefined) Object.assign(event, { at: this.at })
    this.#items.push({ event, sizeBytes })
    this.#bytes += sizeBytes
    this.#wake?.()
  }

  /** What is in it is still read; what is pushed from now on is not. */
  end(): void {
    this.#ended = true
    this.#wake?.()
    this.#release()
  }

  /** Undefined where there is room now. */
  room(): Promise<void> | undefined {
    if (this.#bytes < this.#boundBytes || this.#ended) return undefined
    return new Promise((resolve) => this.#roomy.push(resolve))
  }

  /** Whoever waits for room is let go on, to see that it is over. */
  release(): void {
    this.#release()
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for (;;) {
      const next = this.#items.shift()
      if (next) {
        this.#bytes -= next.sizeBytes
        if (this.#bytes < this.#boundBytes) this.#release()
        yield next.event
      } else if (this.#ended) {
        return
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        this.#wake = undefined
      }
    }
  }

  #release(): void {
    const waiting = this.#roomy
    this.#roomy = []
    for (const resolve of waiting) resolve()
  }
}
