import type { Envelope } from '@hotline/protocol/event'
import { formatCursor, parseCursor } from '@hotline/protocol/stream'
import type { Follower } from '../link.ts'
import type { WantedFollow } from './messages.ts'

/** One follow of a tab, which outlives its leaders: it keeps its own position, and lets nothing pass twice. */
export class TabFollow {
  readonly key: number
  readonly stream: string
  readonly follower: Follower
  #cursor: string
  #epoch: string | undefined
  #seq = 0

  constructor(key: number, stream: string, after: string, follower: Follower) {
    this.key = key
    this.stream = stream
    this.follower = follower
    this.#cursor = after
    const at = parseCursor(after)
    if (at === undefined) throw new RangeError(`not a cursor: ${after}`)
    if (typeof at === 'object') ({ epoch: this.#epoch, seq: this.#seq } = at)
  }

  /** Of the last event that was handed over; what it began with before the first. */
  get cursor(): string {
    return this.#cursor
  }

  get wanted(): WantedFollow {
    return { key: this.key, stream: this.stream, after: this.#cursor }
  }

  /** Hands over what is new. False where something is missing before it: then it is to be followed anew. */
  events(events: readonly Envelope[], epoch: string): boolean {
    const placed = this.#epoch !== undefined
    if (placed && epoch !== this.#epoch) return false
    const fresh = placed ? events.filter(({ seq }) => seq > this.#seq) : events
    const [first] = fresh
    const last = fresh.at(-1)
    if (!first || !last) return true
    if (placed && first.seq !== this.#seq + 1) return false
    this.#place(epoch, last.seq)
    this.follower.events(fresh, epoch)
    return true
  }

  /** The same for the word that this is the end. */
  caughtUp(cursor: string): boolean {
    const at = parseCursor(cursor)
    if (typeof at !== 'object') return true
    const { epoch, seq } = at
    if (this.#epoch !== undefined && (epoch !== this.#epoch || seq > this.#seq)) return false
    // From before the last events, of a leader that is none any more.
    if (this.#epoch !== undefined && seq < this.#seq) return true
    this.#place(epoch, seq)
    this.follower.caughtUp?.(cursor)
    return true
  }

  #place(epoch: string, seq: number): void {
    this.#epoch = epoch
    this.#seq = seq
    this.#cursor = formatCursor({ epoch, seq })
  }
}
