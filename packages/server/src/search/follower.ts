import { setTimeout as pause } from 'node:timers/promises'
import type { Envelope } from '@hotline/protocol/event'
import { splitStream } from '@hotline/protocol/stream'
import type { Bus } from '../log/bus.ts'
import type { LogStore } from '../log/log-store.ts'
import { readEvent } from '../log/read-event.ts'
import { LogDamaged } from '../log/store-unavailable.ts'
import { walkStreams } from '../log/walk-streams.ts'
import { type Clock, timestamp } from '../machine/clock.ts'
import { aboutBy, brokenOff, piecesOf } from './pieces.ts'
import type { Erasure, Piece, SearchIndex, Stretch } from './search-index.ts'

/** What following the log needs. */
export interface SearchFollowerPorts {
  store: Pick<LogStore, 'head' | 'read' | 'readSubjects' | 'streams'>
  bus: Pick<Bus, 'subscribe'>
  index: SearchIndex
  clock: Clock
  fault: (error: unknown) => void
}

/** What was said is gathered for so long before it goes into the index: one transaction for many small commits. */
const gatherMs = 50
/** After a failure. */
const retryMs = 5_000
/** One stretch: what is on the event loop at once. */
const stretchEvents = 100
const stretchBytes = 256 * 1024
/** It rests for so many times as long as a stretch took: who commits has most of the processor, also while a program floods. */
const restShare = 2
const restMaxMs = 100
/** Pieces of a message that broke off. */
const deltasMax = 2_000

/**
 * Reads the log into the index, after the commit and in nobody's way: whoever commits only leaves the name of the stream. How
 * far each stream was read is kept with what was read of it, so that nothing is left out or taken twice, wherever it was cut
 * off.
 */
export class SearchFollower implements AsyncDisposable {
  readonly #ports: SearchFollowerPorts
  /** Streams that have moved, with when that was heard. */
  readonly #moved = new Map<string, string>()
  readonly #endHearing: () => void
  #isWalked = false
  #isClosed = false
  #cancelPause: (() => void) | undefined
  #work: Promise<void> = Promise.resolve()
  #isWorking = false
  /** Of the stream that is being read. */
  #readingSince: string | undefined

  constructor(ports: SearchFollowerPorts) {
    this.#ports = ports
    this.#endHearing = ports.bus.subscribe(({ stream }) => this.#hear(stream))
    this.#begin()
  }

  /** All that was committed before is in the index; undefined while it has not been through the log since the start. */
  get indexedTo(): string | undefined {
    if (!this.#isWalked) return undefined
    const waiting = [...this.#moved.values(), this.#readingSince].filter((since) => since !== undefined)
    return waiting.toSorted()[0] ?? timestamp(this.#ports.clock)
  }

  /** What is being read is finished; the rest waits for the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#endHearing()
    this.#cancelPause?.()
    await this.#work
  }

  #hear(stream: string): void {
    if (!isSearched(stream)) return
    if (!this.#moved.has(stream)) this.#moved.set(stream, timestamp(this.#ports.clock))
    this.#later(gatherMs)
  }

  #later(delayMs: number): void {
    if (this.#isClosed || this.#isWorking || this.#cancelPause !== undefined) return
    this.#cancelPause = this.#ports.clock.after(delayMs, () => this.#begin())
  }

  #begin(): void {
    this.#cancelPause = undefined
    if (this.#isClosed || this.#isWorking) return
    this.#isWorking = true
    this.#work = this.#round().then(
      () => this.#rest(gatherMs),
      (error: unknown) => {
        this.#ports.fault(error)
        // The index may have lost more than what was being read.
        this.#isWalked = false
        this.#rest(retryMs, true)
      },
    )
  }

  #rest(delayMs: number, hasFailed = false): void {
    this.#isWorking = false
    if (hasFailed || this.#moved.size > 0) this.#later(delayMs)
  }

  async #round(): Promise<void> {
    if (!this.#isWalked) await this.#walk()
    // Those of now: others may move for ever while they are read.
    for (const [stream, since] of Array.from(this.#moved)) {
      if (this.#isClosed) return
      this.#moved.delete(stream)
      this.#readingSince = since
      try {
        await this.#read(stream)
      } catch (error) {
        this.#moved.set(stream, since)
        throw error
      } finally {
        this.#readingSince = undefined
      }
    }
  }

  /** Every stream of the log from where the index was, and out with those that the log does not have. */
  async #walk(): Promise<void> {
    const { store, index } = this.#ports
    await index.mend()
    for await (const stream of walkStreams(store)) {
      if (this.#isClosed) return
      if (isSearched(stream)) await this.#read(stream)
    }
    for await (const stream of walkStreams(index)) {
      if (this.#isClosed) return
      if ((await store.head(stream)) === undefined) await index.forget(stream)
    }
    this.#isWalked = true
  }

  async #read(stream: string): Promise<void> {
    const { store, index, clock } = this.#ports
    const head = await store.head(stream)
    if (head === undefined) return
    let place = await index.position(stream)
    if (place !== undefined && (place.epoch !== head.epoch || place.seq > head.head)) {
      await index.forget(stream)
      place = undefined
    }
    let about = place?.about
    for (let after = place?.seq ?? 0; after < head.head && !this.#isClosed;) {
      const began = clock.monotonicMs()
      const events = await this.#stretch(stream, after)
      const first = events[0]
      const last = events.at(-1)
      if (!first || !last) return
      about ??= aboutBy(first)
      if (about === undefined) return
      const changes = await this.#changes(stream, events)
      const stretch = { stream, epoch: head.epoch, after, upTo: last.seq, about, changes }
      await this.#eraseFirst(stretch)
      // What is left of it would go at once with the stretch.
      if (this.#isClosed) return
      await index.index(stretch)
      after = last.seq
      await this.#restSince(began)
    }
  }

  /** Of what was said before there may be much: it goes in pieces, and others work between two. */
  async #eraseFirst(stretch: Stretch): Promise<void> {
    const { index, clock } = this.#ports
    for (let isLeft = stretch.changes.some((change) => ('erase' in change)); isLeft && !this.#isClosed;) {
      const began = clock.monotonicMs()
      isLeft = await index.eraseSome(stretch)
      if (isLeft) await this.#restSince(began)
    }
  }

  #restSince(beganMs: number): Promise<void> {
    return pause(Math.min(restMaxMs, restShare * (this.#ports.clock.monotonicMs() - beganMs)))
  }

  /** What is damaged is not searched, and holds up nothing else. */
  async #stretch(stream: string, after: number): Promise<readonly Envelope[]> {
    try {
      const stored = await this.#ports.store.read(stream, { after, limit: stretchEvents, maxBytes: stretchBytes })
      return stored.map(readEvent)
    } catch (error) {
      if (!(error instanceof LogDamaged)) throw error
      this.#ports.fault(error)
      return []
    }
  }

  async #changes(stream: string, events: readonly Envelope[]): Promise<readonly (Piece | Erasure)[]> {
    const changes: (Piece | Erasure)[] = []
    for (const event of events) {
      const isBroken = event.type === 'message.broken_off' || event.type === 'thought.broken_off'
      if (isBroken && event.subject !== undefined) {
        const deltas = await this.#ports.store.readSubjects(stream, [event.subject], 0, deltasMax)
        changes.push(...brokenOff(event, deltas.map(readEvent)))
      } else changes.push(...piecesOf(event))
    }
    return changes
  }
}

function isSearched(stream: string): boolean {
  const { kind } = splitStream(stream)
  return kind === 'session' || kind === 'task'
}
