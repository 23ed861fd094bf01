import type { Problem } from '@hotline/protocol/error'
import type { Envelope } from '@hotline/protocol/event'
import type { ServerFrame } from '@hotline/protocol/frame'
import { formatCursor } from '@hotline/protocol/stream'
import type { Follower } from './link.ts'

/** Bytes are not counted here: an acknowledgement after so many events, or at the end of a batch that caught up. */
const acknowledgeEvery = 200

type FrameOf<T extends ServerFrame['t']> = Extract<ServerFrame, { t: T }>

/**
 * One followed stream on the client's side: its position, and what may be handed on. Batches must join without a gap;
 * what was applied already is cut off; after a gap the stream is followed again from the position.
 */
export class FollowedStream {
  readonly stream: string
  readonly #follower: Follower
  readonly #send: (frame: object) => void
  #epoch: string | undefined
  #seq = 0
  #after: string
  #acknowledged = 0
  /** Seen in a heartbeat as ahead of us; if the next one still is, something was lost. */
  #behindSince: number | undefined

  constructor(stream: string, after: string, follower: Follower, send: (frame: object) => void) {
    this.stream = stream
    this.#after = after
    this.#follower = follower
    this.#send = send
    const parts = /^([a-z0-9]{8})\.(\d+)$/.exec(after)
    if (parts?.[1]) {
      this.#epoch = parts[1]
      this.#seq = Number(parts[2])
    }
  }

  get cursor(): string {
    return this.#epoch === undefined ? this.#after : formatCursor({ epoch: this.#epoch, seq: this.#seq })
  }

  /** Asks for everything after the position; called at each connect. */
  ask(): void {
    this.#behindSince = undefined
    this.#acknowledged = this.#seq
    this.#send({ t: 'follow', stream: this.stream, after: this.cursor })
  }

  events(frame: FrameOf<'events'>): void {
    if (this.#epoch === undefined) {
      this.#epoch = frame.epoch
      // "now" starts wherever the first batch does.
      if (this.#after === 'now') this.#seq = frame.from - 1
    }
    if (frame.epoch !== this.#epoch || frame.from > this.#seq + 1) return this.ask()
    const fresh = frame.events.filter(({ seq }) => seq > this.#seq)
    if (fresh.length === 0) return
    this.#seq = frame.to
    this.#follower.events(fresh, frame.epoch)
    if (this.#seq - this.#acknowledged >= acknowledgeEvery) this.#acknowledge()
  }

  caughtUp(frame: FrameOf<'caught_up'>): void {
    if (this.#epoch === undefined) {
      this.#epoch = frame.epoch
      this.#seq = frame.seq
    }
    if (frame.seq > this.#seq) return this.ask()
    this.#acknowledge()
    this.#follower.caughtUp?.(this.cursor)
  }

  reset(frame: FrameOf<'reset'>): void {
    this.#epoch = frame.epoch
    this.#seq = frame.head
    this.#follower.reset?.(formatCursor({ epoch: frame.epoch, seq: frame.head }))
  }

  urgent(event: Envelope): void {
    this.#follower.urgent?.(event)
  }

  ended(problem: Problem): void {
    this.#follower.ended?.(problem)
  }

  /** The head that a heartbeat told. Twice ahead without anything coming means that the last event was lost. */
  head(cursor: string): void {
    const head = Number(cursor.slice(cursor.indexOf('.') + 1))
    if (head <= this.#seq) this.#behindSince = undefined
    else if (this.#behindSince === this.#seq) this.ask()
    else this.#behindSince = this.#seq
  }

  #acknowledge(): void {
    this.#acknowledged = this.#seq
    this.#send({ t: 'ack', stream: this.stream, seq: this.#seq })
  }
}
