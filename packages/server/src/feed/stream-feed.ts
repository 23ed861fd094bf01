import { isOutput } from '@hotline/protocol/frame'
import { limits } from '@hotline/protocol/limits'
import type { Appended, LogStore, StoredEvent } from '../log/log-store.ts'
import { eventsFrame, eventsWithin, type SharedFrame, type Stretch, urgentFrame, type Without } from './shared-frame.ts'

/** Bytes of recent events that are kept for all followers of one stream. */
const tailBytesMax = 1024 * 1024
/** Pages read from the store that are kept for followers who come by at the same place (a storm of reconnects). */
const pagesKept = 8

/** A contiguous stretch of events, ready to send. */
export interface Page {
  from: number
  to: number
  /** The same for all who leave out the same; put together when the first of them needs it. */
  frame(without: Without): SharedFrame
}

/** Told by the feed; a follower never holds events itself, only its position. */
export interface Listener {
  /** The stream has grown by exactly this page; it is shared by all. */
  grown(page: Page, urgent: readonly SharedFrame[]): void
}

/**
 * One stream as its followers see it: the committed head, and a tail of recent events in memory that all of them share.
 * What is older comes from the store. Everything that a turn of the event loop brought goes out as one page.
 */
export class StreamFeed {
  readonly stream: string
  readonly epoch: string
  readonly #store: LogStore
  readonly #listeners = new Set<Listener>()
  /** Recent events, contiguous, the last one at `head`. */
  #tail: StoredEvent[] = []
  #tailBytes = 0
  #head: number
  #fresh: StoredEvent[] = []
  #flushing = false
  readonly #pages = new Map<string, Promise<Page | undefined>>()

  constructor(stream: string, epoch: string, head: number, store: LogStore) {
    this.stream = stream
    this.epoch = epoch
    this.#head = head
    this.#store = store
  }

  get head(): number {
    return this.#head
  }

  get listened(): boolean {
    return this.#listeners.size > 0
  }

  listen(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * New events after a commit. A repeat is passed over; a gap (a lost message of the bus, or a head without its events)
   * empties the tail.
   */
  grow(appended: Appended): void {
    const fresh = appended.events.filter(({ seq }) => seq > this.#head)
    const first = fresh[0]
    if (!first && appended.head <= this.#head) return
    if (first?.seq !== this.#head + 1) {
      this.#tail = []
      this.#tailBytes = 0
      this.#fresh = []
      this.#head = appended.head
      this.#announce(nothing, [])
      return
    }
    this.#head = appended.head
    for (const event of fresh) {
      this.#tail.push(event)
      this.#tailBytes += event.bytes.length
    }
    this.#trim()
    this.#fresh.push(...fresh)
    if (this.#flushing) return
    this.#flushing = true
    setImmediate(() => this.#flush())
  }

  /** Of what is in memory nothing stays; the position does. */
  forget(): void {
    this.#tail = []
    this.#tailBytes = 0
    this.#pages.clear()
  }

  /** The next page after a position, from memory where it is recent, else from the store; undefined at the head. */
  pageAfter(seq: number): Page | undefined | Promise<Page | undefined> {
    if (seq >= this.#head) return undefined
    const first = this.#tail[0]
    if (first && first.seq <= seq + 1) return this.#pageOf(this.#tail, seq + 1 - first.seq)
    return this.#storedPage(seq)
  }

  #flush(): void {
    this.#flushing = false
    const fresh = this.#fresh
    this.#fresh = []
    for (let at = 0; at < fresh.length;) {
      const page = this.#pageOf(fresh, at)
      if (!page) return
      const count = page.to - page.from + 1
      const urgent = fresh.slice(at, at + count).filter(({ type }) => isUrgent(type))
      this.#announce(
        page,
        urgent.map((event) => urgentFrame(this.stream, event)),
      )
      at += count
    }
  }

  #announce(page: Page, urgent: readonly SharedFrame[]): void {
    for (const listener of this.#listeners) listener.grown(page, urgent)
  }

  #pageOf(events: readonly StoredEvent[], start: number, isKept = false): Page | undefined {
    const first = events[start]
    if (!first) return undefined
    let end = start
    let bytes = 0
    while (end < events.length && end - start < limits.pageEvents) {
      bytes += events[end]?.bytes.length ?? 0
      if (bytes > limits.pageBytes && end > start) break
      end += 1
    }
    const chosen = events.slice(start, end)
    const to = first.seq + chosen.length - 1
    return pageOf({ stream: this.stream, epoch: this.epoch, from: first.seq, to, events: chosen }, isKept)
  }

  #storedPage(seq: number): Promise<Page | undefined> {
    const key = `${seq}:${Math.min(this.#head, seq + limits.pageEvents)}`
    const known = this.#pages.get(key)
    if (known) return known
    const range = { after: seq, upTo: this.#head, limit: limits.pageEvents, maxBytes: limits.pageBytes }
    const reading = this.#store.read(this.stream, range).then((events) => this.#pageOf(events, 0, true))
    this.#pages.set(key, reading)
    reading.catch(() => this.#pages.delete(key))
    for (const old of this.#pages.keys()) {
      if (this.#pages.size <= pagesKept) break
      this.#pages.delete(old)
    }
    return reading
  }

  #trim(): void {
    let drop = 0
    while (this.#tailBytes > tailBytesMax && drop < this.#tail.length - 1) {
      this.#tailBytes -= this.#tail[drop]?.bytes.length ?? 0
      drop += 1
    }
    if (drop > 0) this.#tail = this.#tail.slice(drop)
  }
}

/** There is more, and where it begins nobody here knows. */
const nothing: Page = { from: 0, to: 0, frame: () => ({ kind: 'events', quiet: true, json: new Uint8Array() }) }

/** `isKept`: it stays for who comes by later. Once a frame has all the bytes, they are in memory there and nowhere else. */
function pageOf(stretch: Stretch, isKept: boolean): Page {
  const { stream, epoch, from, to } = stretch
  const hasOutput = stretch.events.some(({ type }) => isOutput(type))
  let { events } = stretch
  let whole: SharedFrame | undefined
  let lean: SharedFrame | undefined
  return {
    from,
    to,
    frame: (without) => {
      if (without === 'output' && hasOutput) return (lean ??= eventsFrame({ stream, epoch, from, to, events }, without))
      if (whole) return whole
      whole = eventsFrame({ stream, epoch, from, to, events }, undefined)
      if (isKept) events = hasOutput ? eventsWithin(whole, events) : []
      return whole
    },
  }
}

/** What a person waits for never waits behind a flood of output. */
function isUrgent(type: string): boolean {
  return type.startsWith('approval.') || type.startsWith('question.') || type.startsWith('control.')
}
