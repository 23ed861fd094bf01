import type { Problem } from '@hotline/protocol/error'
import type { Envelope } from '@hotline/protocol/event'
import type { ServerFrame } from '@hotline/protocol/server-frame'
import { formatCursor, parseCursor } from '@hotline/protocol/stream'
import type { SentFrame } from './carrier.ts'
import type { Clock } from './clock.ts'
import type { Follow, Follower } from './link.ts'

/** So much was received and not acknowledged: the server sends no more than 1 MiB ahead. */
const acknowledgeChars = 64 * 1024
/** What is less is acknowledged after this. */
const acknowledgeAfterMs = 250

type FrameOf<T extends ServerFrame['t']> = Extract<ServerFrame, { t: T }>

/** Somebody here who follows the stream, and the last position that was handed over. */
interface Local {
  follower: Follower
  /** Absent for one that began at `0` or `now` and has heard nothing yet. */
  epoch: string | undefined
  seq: number
  /** Its place is wherever the server says "caught up" next. */
  now: boolean
  /** In this many heartbeats in a row the head was behind it. */
  ahead: number
}

/** What a follow needs of its connection. */
export interface StreamFollowPorts {
  /** False where there is no connection. */
  send: (frame: SentFrame) => boolean
  /** What the server leaves out; absent: nothing. */
  without?: () => 'output' | undefined
  clock: Clock
  /** Nobody follows the stream any more. */
  left: (stream: string) => void
}

/**
 * One stream as it is followed over the one connection, and those here who share it. On the wire it has one position; it
 * is asked for from the furthest behind, and each follower passes over what it had. Batches must join: what overlaps is
 * cut off, and after a gap the stream is asked for again. Frames that are still on their way from before an `ask` do not
 * join, and are passed over until those come that do.
 */
export class StreamFollow {
  readonly stream: string
  readonly #ports: StreamFollowPorts
  readonly #locals = new Set<Local>()
  /** Of the last event that came and joined; the epoch is unknown until the server has said it. */
  #epoch: string | undefined
  #seq = 0
  /** Asked from `now`: the position is wherever the server begins. */
  #anywhere = false
  #asking = false
  /** At the head: whoever follows from `now` begins here. */
  #live = false
  #unacknowledgedChars = 0
  #cancelAcknowledge: (() => void) | undefined
  /** Where we stood when a heartbeat told that there is more. */
  #behindAt: number | undefined

  constructor(stream: string, ports: StreamFollowPorts) {
    this.stream = stream
    this.#ports = ports
  }

  get followed(): boolean {
    return this.#locals.size > 0
  }

  /** Throws a RangeError where `after` is no cursor. */
  add(after: string, follower: Follower): Follow {
    const cursor = parseCursor(after)
    if (cursor === undefined) throw new RangeError(`not a cursor: ${after}`)
    const from = typeof cursor === 'object' ? cursor : undefined
    const local: Local = { follower, epoch: from?.epoch, seq: from?.seq ?? 0, now: cursor === 'now', ahead: 0 }
    const first = this.#locals.size === 0
    this.#locals.add(local)
    if (first || !this.#joins(local)) this.ask(local)
    else if (this.#live) queueMicrotask(() => this.#locals.has(local) && this.#reached(local))
    return {
      get cursor() {
        if (local.epoch === undefined) return after
        return formatCursor({ epoch: local.epoch, seq: local.seq })
      },
      close: () => {
        if (this.#locals.delete(local)) this.#leaveIfEmpty()
      },
    }
  }

  /** Asks for everything after the position of who is furthest behind; `latest` decides whose log it is where they differ. */
  ask(latest?: Local): void {
    const lead = latest ?? [...this.#locals].at(-1)
    if (!lead) return
    const epoch = lead.epoch ?? [...this.#locals].find((local) => local.epoch !== undefined)?.epoch
    const placed = [...this.#locals].filter(
      (local) => !local.now && (local.epoch === epoch || local.epoch === undefined),
    )
    const seq = placed.length > 0 ? Math.min(...placed.map((local) => local.seq)) : undefined
    this.#anywhere = seq === undefined
    // Somebody who starts at the beginning starts at the beginning of whatever log is there.
    const fromStart = placed.some((local) => local.epoch === undefined)
    this.#epoch = fromStart ? undefined : epoch
    this.#seq = seq ?? 0
    this.#live = false
    this.#behindAt = undefined
    this.#forgetAcknowledgement()
    const cursor = this.#epoch === undefined ? '0' : formatCursor({ epoch: this.#epoch, seq: this.#seq })
    const after = this.#anywhere ? 'now' : cursor
    const without = this.#ports.without?.()
    this.#asking = this.#ports.send({
      t: 'follow',
      stream: this.stream,
      after,
      ...(without === undefined ? {} : { without }),
    })
  }

  events(frame: FrameOf<'events'>, sizeChars: number): void {
    if (!this.followed || !this.#isOurs(frame.epoch)) return
    if (this.#anywhere) this.#startAt(frame.from - 1)
    if (frame.from > this.#seq + 1) return this.#askUnlessAsking()
    this.#asking = false
    this.#epoch = frame.epoch
    this.#unacknowledgedChars += sizeChars
    if (frame.to > this.#seq) {
      this.#seq = frame.to
      for (const local of this.#locals) this.#handOver(local, frame)
    }
    if (this.#unacknowledgedChars >= acknowledgeChars) this.#acknowledge()
    else this.#acknowledgeSoon()
  }

  caughtUp(frame: FrameOf<'caught_up'>): void {
    if (!this.followed || !this.#isOurs(frame.epoch)) return
    if (this.#anywhere) this.#startAt(frame.seq)
    if (frame.seq > this.#seq) return this.#askUnlessAsking()
    this.#arrive(frame)
  }

  /** The cursor that was asked for does not belong to the log. Whoever does belong is asked for again. */
  reset(frame: FrameOf<'reset'>): void {
    this.#asking = false
    this.#live = false
    const locals = [...this.#locals]
    const strange = locals.filter((local) => {
      return (local.epoch !== undefined && local.epoch !== frame.epoch) || local.seq > frame.head
    })
    // None of them: what they want to read is no longer kept. It begins with who is furthest behind.
    const gone = strange.length > 0 ? strange : locals.filter((local) => !local.now && local.seq <= this.#seq)
    for (const local of gone.length > 0 ? gone : locals) this.#resetLocal(local, frame.epoch, frame.head)
    if (this.followed) this.ask()
  }

  urgent(event: Envelope): void {
    for (const local of this.#locals) if (event.seq > local.seq && !local.now) local.follower.urgent?.(event)
  }

  ended(problem: Problem): void {
    const locals = [...this.#locals]
    this.#locals.clear()
    this.#leaveIfEmpty()
    for (const local of locals) local.follower.ended?.(problem)
  }

  /** The head that a heartbeat told: finds a last event that was lost, and a position that the log does not have. */
  head(cursor: string): void {
    const head = parseCursor(cursor)
    if (typeof head !== 'object' || !this.followed) return
    if (this.#anywhere) this.#startAt(head.seq)
    const another = this.#epoch !== undefined && head.epoch !== this.#epoch
    if (head.seq <= this.#seq && !another) {
      this.#behindAt = undefined
      if (!this.#live) this.#arrive(head)
    } else if (this.#behindAt === this.#seq) this.ask()
    else this.#behindAt = this.#seq
    for (const local of this.#locals) {
      local.ahead = local.epoch === head.epoch && local.seq > head.seq ? local.ahead + 1 : 0
      if (local.ahead > 1) this.#resetLocal(local, head.epoch, head.seq)
    }
  }

  /** The connection is gone; it is asked again on the next one. */
  lost(): void {
    this.#asking = false
    this.#live = false
    this.#forgetAcknowledgement()
  }

  /** A newcomer that needs nothing which has already passed by. */
  #joins(local: Local): boolean {
    if (local.now) return true
    const sameLog = local.epoch === undefined || this.#epoch === undefined || local.epoch === this.#epoch
    return !this.#anywhere && sameLog && local.seq >= this.#seq
  }

  /** Frames of another life of the stream are from before the last question, or a reset is on its way. */
  #isOurs(epoch: string): boolean {
    if (this.#epoch === undefined || this.#epoch === epoch) return true
    this.#askUnlessAsking()
    return false
  }

  #askUnlessAsking(): void {
    if (!this.#asking) this.ask()
  }

  #startAt(seq: number): void {
    this.#anywhere = false
    this.#seq = seq
    for (const local of this.#locals) {
      if (!local.now) continue
      local.now = false
      local.seq = seq
    }
  }

  /** At the head, if the head is where we stand. */
  #arrive({ epoch, seq }: { epoch: string; seq: number }): void {
    if (seq < this.#seq) return
    this.#asking = false
    this.#epoch = epoch
    this.#live = true
    for (const local of this.#locals) this.#reached(local)
  }

  #handOver(local: Local, frame: FrameOf<'events'>): void {
    if (local.now) return
    if (local.epoch !== undefined && local.epoch !== frame.epoch) return this.#resetLocal(local, frame.epoch, frame.to)
    const fresh = local.seq < frame.from ? frame.events : frame.events.filter(({ seq }) => seq > local.seq)
    const last = fresh.at(-1)
    if (!last) return
    // It missed a batch because another follower threw in the middle of it.
    if (fresh[0]?.seq !== local.seq + 1) return this.#askUnlessAsking()
    local.epoch = frame.epoch
    local.seq = last.seq
    local.follower.events(fresh, frame.epoch)
  }

  #reached(local: Local): void {
    if (local.now) {
      local.now = false
      local.seq = this.#seq
    }
    local.epoch ??= this.#epoch
    if (local.epoch === undefined) return
    if (local.epoch !== this.#epoch) return this.#resetLocal(local, this.#epoch ?? local.epoch, this.#seq)
    if (local.seq === this.#seq) local.follower.caughtUp?.(formatCursor({ epoch: local.epoch, seq: local.seq }))
  }

  #resetLocal(local: Local, epoch: string, head: number): void {
    if (!this.#locals.delete(local)) return
    local.follower.reset?.(formatCursor({ epoch, seq: head }))
    this.#leaveIfEmpty()
  }

  #leaveIfEmpty(): void {
    if (this.#locals.size > 0) return
    this.#forgetAcknowledgement()
    this.#ports.left(this.stream)
  }

  #acknowledgeSoon(): void {
    this.#cancelAcknowledge ??= this.#ports.clock.after(acknowledgeAfterMs, () => this.#acknowledge())
  }

  #forgetAcknowledgement(): void {
    this.#cancelAcknowledge?.()
    this.#cancelAcknowledge = undefined
    this.#unacknowledgedChars = 0
  }

  #acknowledge(): void {
    this.#forgetAcknowledgement()
    this.#ports.send({ t: 'ack', stream: this.stream, seq: this.#seq })
  }
}
