import { isWanted } from '@hotline/core/project/webhooks'
import type { Envelope } from '@hotline/protocol/event'
import type { LogStore } from '../../log/log-store.ts'
import { readEvent } from '../../log/read-event.ts'
import type { WebhookCursorTable } from '../../log/tables.ts'
import type { HookBook } from './hook-book.ts'
import { bookKey, type Hook, type HookPostPorts, postEvent } from './hook-post.ts'

/** After each failure so long; after the last of them it is given up. About a day in all. */
export const waitsMs: readonly number[] = [
  5_000,
  60_000,
  5 * 60_000,
  30 * 60_000,
  2 * 60 * 60_000,
  6 * 60 * 60_000,
  14 * 60 * 60_000,
]

/** Events that nobody wanted, before it is noted that they were passed. */
const unwrittenMax = 1_000
const stretch = { limit: 100, maxBytes: 256 * 1024 }
/** The longest wait before everything that waits is looked at again: nothing that was lost stays lost. */
const lookAgainMs = 60_000

/** What the posts of one webhook need. */
export interface HookLinePorts extends HookPostPorts {
  hook: Hook
  book: HookBook
  store: Pick<LogStore, 'head' | 'read'>
  /** Its receiver wants nothing any more. */
  gone: () => Promise<void>
  fault: (error: unknown) => void
}

/**
 * Posts what one webhook wants. Each stream is a line of its own: an event that fails is tried again later and later, and those after
 * it in its stream wait; other streams go on.
 */
export class HookLine implements AsyncDisposable {
  readonly #ports: HookLinePorts
  readonly #cursors = new Map<string, WebhookCursorTable>()
  /** How far each stream is in the book. */
  readonly #written = new Map<string, number>()
  readonly #moved = new Set<string>()
  readonly #closing = new AbortController()
  #cancel: () => void = () => undefined
  #isRead = false
  #work: Promise<void> | undefined

  constructor(ports: HookLinePorts) {
    this.#ports = ports
  }

  /** The stream has something new, or is looked at again. */
  look(stream: string): void {
    this.#moved.add(stream)
    this.#begin()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    this.#cancel()
    await this.#work
  }

  #begin(): void {
    if (this.#closing.signal.aborted) return
    this.#work ??= this.#round().finally(() => {
      this.#work = undefined
      if (this.#moved.size > 0) this.#begin()
      else this.#wait()
    })
  }

  /** Wakes up for what is tried again first. */
  #wait(): void {
    this.#cancel()
    if (this.#closing.signal.aborted) return
    const due = [...this.#cursors.values()].filter(({ due_at }) => due_at !== null)
    if (due.length === 0) return
    const nowMs = this.#ports.clock.wallMs()
    const first = Math.min(...due.map((one) => Date.parse(one.due_at ?? '') - nowMs))
    this.#cancel = this.#ports.clock.after(Math.max(1, Math.min(lookAgainMs, first)), () => {
      for (const { stream } of due) this.#moved.add(stream)
      this.#begin()
    })
  }

  /** Never rejects. */
  async #round(): Promise<void> {
    const streams = [...this.#moved]
    this.#moved.clear()
    for (const stream of streams) {
      if (this.#closing.signal.aborted) return
      try {
        await this.#readBook()
        await this.#follow(stream)
      } catch (error) {
        this.#ports.fault(error)
        // It is looked at again, by the clock.
        const soon = new Date(this.#ports.clock.wallMs() + (waitsMs[0] ?? 0)).toISOString()
        this.#cursors.set(stream, { ...this.#cursor(stream), due_at: soon })
      }
    }
  }

  async #readBook(): Promise<void> {
    if (this.#isRead) return
    for (const cursor of await this.#ports.book.cursors(bookKey(this.#ports.hook))) {
      this.#cursors.set(cursor.stream, cursor)
      this.#written.set(cursor.stream, cursor.seq)
    }
    this.#isRead = true
  }

  #cursor(stream: string): WebhookCursorTable {
    return this.#cursors.get(stream) ?? { webhook: bookKey(this.#ports.hook), stream, ...calm, seq: 0 }
  }

  /** Posts what a stream has, up to its end or to what has to wait. */
  async #follow(stream: string): Promise<void> {
    const { store, clock } = this.#ports
    const head = await store.head(stream)
    if (!head) return
    const begun = this.#cursor(stream)
    if (begun.due_at !== null && Date.parse(begun.due_at) > clock.wallMs()) return
    const { seq } = begun
    const events = (await store.read(stream, { after: seq, ...stretch })).map(readEvent)
    for (const event of events) if (!(await this.#pass(event))) return
    const last = events.at(-1)?.seq
    if (last === undefined) return
    const after = { ...this.#cursor(stream), ...calm, seq: last }
    // Where nothing was wanted it may be read once more after a crash: that costs less than a write each time.
    if (last - (this.#written.get(stream) ?? 0) >= unwrittenMax) await this.#note(after)
    else this.#cursors.set(stream, after)
    // The others have their turn before it goes on.
    this.#moved.add(stream)
  }

  /** False where the stream has to wait. */
  async #pass(event: Envelope): Promise<boolean> {
    const { hook, book, clock, gone } = this.#ports
    if (event.at < hook.addedAt || !isWanted(hook, event.type)) return true
    if (this.#closing.signal.aborted) return false
    const { stream, seq } = event
    const before = this.#cursor(stream)
    const posted = await postEvent(hook, event, this.#ports, this.#closing.signal)
    if (this.#closing.signal.aborted && posted !== 'taken') return false
    if (posted === 'taken') {
      await this.#note({ ...before, ...calm, seq })
      return true
    }
    const tries = before.tries + 1
    const { why } = posted
    const waitMs = posted.failed === 'gone' ? undefined : waitsMs[tries - 1]
    if (waitMs === undefined) {
      const cursor = { ...before, ...calm, seq }
      await book.giveUp(cursor, { webhook: bookKey(hook), stream, seq, tries, why })
      this.#cursors.set(stream, cursor)
      if (posted.failed !== 'gone') return true
      // Nothing of any stream is posted there any more, also where this cannot be written down now.
      this.#closing.abort()
      await gone()
      return false
    }
    const due_at = new Date(clock.wallMs() + Math.max(waitMs, posted.retryAfterMs ?? 0)).toISOString()
    await this.#note({ ...before, next_seq: seq, tries, due_at, why })
    return false
  }

  async #note(cursor: WebhookCursorTable): Promise<void> {
    await this.#ports.book.put(cursor)
    this.#written.set(cursor.stream, cursor.seq)
    this.#cursors.set(cursor.stream, cursor)
  }
}

/** Nothing of the stream has failed. */
const calm = { next_seq: 0, tries: 0, due_at: null, why: null } as const
