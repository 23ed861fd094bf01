import { problem } from '@hotline/protocol/error'
import { limits } from '@hotline/protocol/limits'
import { formatCursor, parseCursor } from '@hotline/protocol/stream'
import type { Principal } from '../access/principal.ts'
import type { Feeds } from '../feed/feeds.ts'
import { Follower, type Sink } from '../feed/follower.ts'
import type { ownFrame, Without } from '../feed/shared-frame.ts'
import type { StreamFeed } from '../feed/stream-feed.ts'
import { damageOf } from '../log/store-unavailable.ts'
import type { Traffic } from '../machine/traffic.ts'
import type { Exchange } from '../session/exchange.ts'
import type { Connection } from './connections.ts'

/** Told who begins to follow what, and who no longer does. */
export interface Audience {
  joined(stream: string, connection: Connection): void
  left(stream: string, connection: Connection): void
}

/** What following needs of the server. */
export interface FollowPorts {
  exchange: Exchange
  feeds: Feeds
  /** How many changes of anybody's rights there were so far. */
  rightsChanges: () => number
  audiences: readonly Audience[]
  traffic: Traffic
  fault: (error: unknown) => void
}

/** The connection that follows. */
export interface FollowingSide {
  readonly connection: Connection
  readonly sink: Sink
  readonly isClosed: () => boolean
  readonly send: (frame: Parameters<typeof ownFrame>[0]) => void
  /** The log cannot be read; the next connection may have more luck. */
  unreadable(): void
}

/** The streams that one connection follows. */
export class Follows {
  readonly #side: FollowingSide
  readonly #ports: FollowPorts
  readonly #followers = new Map<string, Follower>()
  /** Follows that are being opened: a later frame about the same stream takes the place. */
  readonly #opening = new Map<string, object>()

  constructor(side: FollowingSide, ports: FollowPorts) {
    this.#side = side
    this.#ports = ports
  }

  get size(): number {
    return this.#followers.size
  }

  has(stream: string): boolean {
    return this.#followers.has(stream)
  }

  /** Begins behind the cursor `after`, or says why not: `unfollowed` or `reset`. Never rejects. */
  async open(stream: string, after: string, without?: Without): Promise<void> {
    if (!this.#isRoomFor(stream)) {
      const detail = `One connection may follow ${limits.followsPerSocket} streams. Unfollow one first.`
      return this.#side.send({ t: 'unfollowed', stream, problem: problem('rate_limited', detail) })
    }
    const opening = {}
    this.#opening.set(stream, opening)
    try {
      const feed = await this.#openFeed(stream)
      if (this.#side.isClosed() || this.#opening.get(stream) !== opening) return
      if (feed) this.#begin(stream, feed, after, without)
      else {
        const detail = 'There is no such stream, or it is not yours to read.'
        this.#side.send({ t: 'unfollowed', stream, problem: problem('not_found', detail) })
      }
    } catch (error) {
      this.#unreadable(stream, error)
    } finally {
      if (this.#opening.get(stream) === opening) this.#opening.delete(stream)
    }
  }

  /** Does nothing where it is not followed. */
  leave(stream: string): void {
    this.#opening.delete(stream)
    this.#followers.get(stream)?.close()
    if (this.#followers.delete(stream)) this.#left(stream)
  }

  /** The other side has applied what came up to here. */
  acknowledge(stream: string, seq: number): void {
    this.#followers.get(stream)?.acknowledge(seq)
  }

  /** The transport has room again. */
  resume(): void {
    for (const follower of this.#followers.values()) follower.resume()
  }

  /** Where each stream ends, so that a lost last event is found. */
  heads(): Record<string, string> {
    const heads: Record<string, string> = {}
    for (const [stream, { feed }] of this.#followers)
      heads[stream] = formatCursor({ epoch: feed.epoch, seq: feed.head })
    return heads
  }

  /** Ends those that its principal may no longer read, and says so. Rejects where that cannot be found out. */
  async recheck(principal: Principal): Promise<void> {
    for (const stream of this.#followers.keys()) {
      if (await this.#ports.exchange.mayRead(principal, stream)) continue
      this.leave(stream)
      const detail = 'You no longer have the right to read this.'
      this.#side.send({ t: 'unfollowed', stream, problem: problem('not_found', detail) })
    }
  }

  /** The transport is gone. */
  close(): void {
    for (const [stream, follower] of this.#followers) {
      follower.close()
      this.#left(stream)
    }
    this.#followers.clear()
    this.#opening.clear()
  }

  #begin(stream: string, feed: StreamFeed, after: string, without: Without): void {
    const { send } = this.#side
    this.#followers.get(stream)?.close()
    if (this.#followers.delete(stream)) this.#left(stream)
    const cursor = parseCursor(after)
    const from = cursor === 'start' ? 0 : cursor === 'now' ? feed.head : cursor?.seq
    const strange = typeof cursor === 'object' && cursor.epoch !== feed.epoch
    if (from === undefined || strange || from > feed.head) {
      return send({ t: 'reset', stream, reason: strange ? 'epoch' : 'ahead', epoch: feed.epoch, head: feed.head })
    }
    const on = {
      caughtUp: (seq: number) => send({ t: 'caught_up', stream, epoch: feed.epoch, seq }),
      failed: (error: unknown) => this.#unreadable(stream, error),
    }
    const follower = new Follower(feed, from, this.#side.sink, on, without)
    this.#followers.set(stream, follower)
    for (const audience of this.#ports.audiences) audience.joined(stream, this.#side.connection)
    this.#ports.traffic.follows[typeof cursor === 'object' ? 'cursor' : (cursor ?? 'start')] += 1
    follower.resume()
  }

  /** A stream that is followed anew counts once, whether it is being opened, followed, or both. */
  #isRoomFor(stream: string): boolean {
    if (this.#followers.size + this.#opening.size < limits.followsPerSocket) return true
    const followed = new Set([...this.#followers.keys(), ...this.#opening.keys()])
    return followed.has(stream) || followed.size < limits.followsPerSocket
  }

  /** Undefined where the stream is not there or not theirs, as of the moment in which the follow begins. */
  async #openFeed(stream: string): Promise<StreamFeed | undefined> {
    const { exchange, feeds, rightsChanges } = this.#ports
    for (;;) {
      const seen = rightsChanges()
      const { principal } = this.#side.connection
      const feed = (await exchange.mayRead(principal, stream)) ? await feeds.open(stream) : undefined
      // Who lost the right meanwhile was not told to stop, for there was nothing to stop yet.
      if (seen === rightsChanges()) return feed
    }
  }

  /** A log that cannot be read may be read by the next connection; one stream that is damaged concerns nobody else. */
  #unreadable(stream: string, error: unknown): void {
    this.#ports.fault(error)
    const damage = damageOf(error)
    if (!damage) return this.#side.unreadable()
    this.leave(stream)
    this.#side.send({ t: 'unfollowed', stream, problem: damage })
  }

  #left(stream: string): void {
    for (const audience of this.#ports.audiences) audience.left(stream, this.#side.connection)
  }
}
