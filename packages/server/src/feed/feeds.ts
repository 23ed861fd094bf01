import type { Bus } from '../log/bus.ts'
import type { Appended, LogStore } from '../log/log-store.ts'
import { StreamFeed } from './stream-feed.ts'

/** Feeds without a listener that are kept for the next one. */
const idleMax = 500

/** The feeds of all streams that somebody follows, fed by the bus. */
export class Feeds implements Disposable {
  readonly #store: LogStore
  readonly #feeds = new Map<string, StreamFeed>()
  readonly #opening = new Map<string, { appended: Appended[]; feed: Promise<StreamFeed | undefined> }>()
  readonly #leave: () => void

  constructor(store: LogStore, bus: Bus) {
    this.#store = store
    this.#leave = bus.subscribe((appended) => this.#hear(appended))
  }

  /** The feed of a stream; undefined where the stream does not exist. */
  async open(stream: string): Promise<StreamFeed | undefined> {
    const known = this.#feeds.get(stream)
    if (known) return known
    const opening = this.#opening.get(stream)
    if (opening) return opening.feed
    // What is committed while the head is read is kept and applied after: repeats are passed over by the feed.
    const appended: Appended[] = []
    const feed = this.#load(stream, appended)
    this.#opening.set(stream, { appended, feed })
    try {
      return await feed
    } finally {
      this.#opening.delete(stream)
    }
  }

  /** What is kept of a stream in memory goes; whoever asks gets it from the store, as it is there by now. */
  forget(stream: string): void {
    this.#feeds.get(stream)?.forget()
  }

  [Symbol.dispose](): void {
    this.#leave()
    this.#feeds.clear()
  }

  async #load(stream: string, appended: readonly Appended[]): Promise<StreamFeed | undefined> {
    const head = await this.#store.head(stream)
    if (!head) return undefined
    const feed = new StreamFeed(stream, head.epoch, head.head, this.#store)
    for (const missed of appended) feed.grow(missed)
    this.#forgetIdle()
    this.#feeds.set(stream, feed)
    return feed
  }

  #hear(appended: Appended): void {
    this.#opening.get(appended.stream)?.appended.push(appended)
    const feed = this.#feeds.get(appended.stream)
    if (!feed) return
    if (feed.epoch === appended.epoch) feed.grow(appended)
    else this.#feeds.delete(appended.stream)
  }

  #forgetIdle(): void {
    if (this.#feeds.size < idleMax) return
    for (const [stream, feed] of this.#feeds) {
      if (!feed.listened) this.#feeds.delete(stream)
    }
  }
}
