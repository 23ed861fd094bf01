import { type CommandType, parseCommandData } from '@hotline/protocol/command'
import { closeOf, type ErrorCode, type Problem, problem } from '@hotline/protocol/error'
import { ClientFrame } from '@hotline/protocol/frame'
import { limits } from '@hotline/protocol/limits'
import { formatCursor, parseCursor } from '@hotline/protocol/stream'
import type { Principal } from '../access/principal.ts'
import type { Feeds } from '../feed/feeds.ts'
import { Follower, type Sink } from '../feed/follower.ts'
import { ownFrame } from '../feed/shared-frame.ts'
import type { StreamFeed } from '../feed/stream-feed.ts'
import { damageOf } from '../log/store-unavailable.ts'
import type { Clock } from '../machine/clock.ts'
import type { Traffic } from '../machine/traffic.ts'
import type { Exchange } from '../session/exchange.ts'
import type { Connection } from './connections.ts'
import type { Doings } from './doings.ts'
import type { Watchers } from './watchers.ts'
import type { Wire } from './wire.ts'

/** Frames that cannot be understood before the connection is closed. */
const strikesMax = 5
/** What a connection may send in one second, and in one burst; a frame costs one, an acknowledgement far less. */
const framesPerSecond = 200
const framesBurst = 400
const acknowledgementCost = 0.02
/** A runner speaks for many agents, and its reports are paced by their answers. */
const runnerFrameCost = 0.004
/** Commands of one connection that may be under way. */
const commandsMax = 256
/** A credential is looked at again this often, also one that ends later: timers reach no further than 24 days. */
const lookAgainMs = 60 * 60 * 1_000

/** What a conversation needs of the server. */
export interface GatePorts {
  exchange: Exchange
  feeds: Feeds
  /** The principal with its rights read anew; undefined where its credential no longer holds. */
  renewed: (principal: Principal) => Promise<Principal | undefined>
  /** Told that a principal has sent a command. */
  used: (principal: Principal) => void
  /** How many changes of anybody's rights there were so far. */
  rightsChanges: () => number
  /** Tells those who follow a stream something that is not logged. */
  whisper: (stream: string, frame: { kind: string; [fact: string]: unknown }, except: Connection) => void
  /** Told who begins to follow what, and who no longer does. */
  watchers: Watchers
  doings: Doings
  clock: Clock
  traffic: Traffic
  /** Told of commands that are refused here, before anybody carried them out. */
  refused: (code: ErrorCode) => void
  fault: (error: unknown) => void
}

/**
 * One connection's conversation after it has proved who it is, whatever the transport: follows, commands, heartbeats.
 * Answers to commands and urgent events are written at once; bulk waits for room in the socket.
 */
export class Gate implements Connection {
  readonly id: string
  readonly instance: string | undefined
  #principal: Principal
  readonly #wire: Wire
  readonly #ports: GatePorts
  readonly #followers = new Map<string, Follower>()
  /** Follows that are being opened: a later frame about the same stream takes the place. */
  readonly #opening = new Map<string, object>()
  #strikes = 0
  #commands = 0
  #tokens = framesBurst
  #tokensAt: number
  #cancelEnd: () => void = () => undefined
  #closed = false
  #draining: { retryAfterMs: number; answered: () => void } | undefined

  constructor(id: string, principal: Principal, wire: Wire, ports: GatePorts, instance?: string) {
    this.id = id
    this.instance = instance
    this.#principal = principal
    this.#wire = wire
    this.#ports = ports
    this.#tokensAt = ports.clock.monotonicMs()
    this.#watchEnd()
  }

  /** A frame as it was parsed from JSON; nothing about it is known yet. */
  receive(input: unknown): void {
    if (this.#closed) return
    const parsed = ClientFrame.safeParse(input)
    if (!parsed.success) {
      const path = parsed.error.issues[0]?.path.join('.') ?? ''
      return this.strike(problem('invalid_frame', `This frame is not understood${path ? ` (at "${path}")` : ''}.`))
    }
    const frame = parsed.data
    if (
      !this.#spend(frame.t === 'ack' ? acknowledgementCost : this.principal.kind === 'runner' ? runnerFrameCost : 1)
    ) {
      return this.#tooMany()
    }
    switch (frame.t) {
      case 'hello':
        return this.strike(problem('invalid_frame', 'The connection has said hello already.'))
      case 'ping':
        return this.#send({ t: 'pong' })
      case 'follow':
        void this.#follow(frame.stream, frame.after)
        return
      case 'unfollow':
        return this.#unfollow(frame.stream)
      case 'ack':
        return this.#followers.get(frame.stream)?.acknowledge(frame.seq)
      case 'typing':
        if (this.#followers.has(frame.stream) && this.#ports.watchers.mayType(frame.stream, this.principal)) {
          this.#ports.whisper(frame.stream, { kind: 'typing', by: this.principal.id }, this)
        }
        return
      case 'command':
        void this.#command(frame)
        return
    }
  }

  /** A ping or a pong of the transport, which costs what a frame costs. False where there were too many. */
  pinged(): boolean {
    const affordable = this.#spend(1)
    if (!affordable) this.#tooMany()
    return affordable
  }

  /** Something that could not be understood: it is said, and after too many the connection ends. */
  strike(what: Problem): void {
    this.#strikes += 1
    if (this.#strikes >= strikesMax) this.#end(what)
    else this.#send({ t: 'problem', problem: what })
  }

  /** The transport has room again. */
  drained(): void {
    for (const follower of this.#followers.values()) follower.resume()
  }

  /** Heads of what is followed, so that a lost last event is found. */
  heartbeat(): void {
    const heads: Record<string, string> = {}
    for (const [stream, { feed }] of this.#followers)
      heads[stream] = formatCursor({ epoch: feed.epoch, seq: feed.head })
    this.#send({ t: 'heads', heads })
  }

  whisper(frame: { kind: string; stream?: string }): boolean {
    const hasRoom = this.#wire.queuedBytes < limits.socketQueueBytes
    if (hasRoom) this.#send({ t: 'ephemeral', ...frame })
    return hasRoom
  }

  get principal(): Principal {
    return this.#principal
  }

  get silentMs(): number {
    return this.#wire.silentMs
  }

  get followed(): number {
    return this.#followers.size
  }

  follows(stream: string): boolean {
    return this.#followers.has(stream)
  }

  recheck(): void {
    this.#recheck().catch((error: unknown) => {
      this.#ports.fault(error)
      this.#end(problem('internal', 'Rights could not be checked. Connect again.'))
    })
  }

  drain(retryAfterMs: number): Promise<void> {
    return new Promise((answered) => {
      this.#draining = { retryAfterMs, answered }
      this.#tellAnswered()
    })
  }

  close(code: number, reason: string): void {
    this.#wire.close(code, reason)
  }

  /** The transport is gone. */
  closed(): void {
    this.#closed = true
    this.#cancelEnd()
    for (const [stream, follower] of this.#followers) {
      follower.close()
      this.#left(stream)
    }
    this.#followers.clear()
    this.#opening.clear()
  }

  async #follow(stream: string, after: string): Promise<void> {
    if (!this.#mayFollow(stream)) {
      const detail = `One connection may follow ${limits.followsPerSocket} streams. Unfollow one first.`
      return this.#send({ t: 'unfollowed', stream, problem: problem('rate_limited', detail) })
    }
    const opening = {}
    this.#opening.set(stream, opening)
    try {
      const feed = await this.#openFeed(stream)
      if (this.#closed || this.#opening.get(stream) !== opening) return
      if (!feed) {
        const detail = 'There is no such stream, or it is not yours to read.'
        return this.#send({ t: 'unfollowed', stream, problem: problem('not_found', detail) })
      }
      this.#followers.get(stream)?.close()
      if (this.#followers.delete(stream)) this.#left(stream)
      const cursor = parseCursor(after)
      const from = cursor === 'start' ? 0 : cursor === 'now' ? feed.head : cursor?.seq
      const strange = typeof cursor === 'object' && cursor.epoch !== feed.epoch
      if (from === undefined || strange || from > feed.head) {
        const reason = strange ? 'epoch' : 'ahead'
        return this.#send({ t: 'reset', stream, reason, epoch: feed.epoch, head: feed.head })
      }
      const follower = new Follower(feed, from, this.#sink, {
        caughtUp: (seq) => this.#send({ t: 'caught_up', stream, epoch: feed.epoch, seq }),
        failed: (error) => this.#unreadable(stream, error),
      })
      this.#followers.set(stream, follower)
      this.#ports.watchers.joined(stream, this)
      this.#ports.doings.joined(stream, this)
      this.#ports.traffic.follows[typeof cursor === 'object' ? 'cursor' : (cursor ?? 'start')] += 1
      follower.resume()
    } catch (error) {
      this.#unreadable(stream, error)
    } finally {
      if (this.#opening.get(stream) === opening) this.#opening.delete(stream)
    }
  }

  /** A stream that is followed anew counts once, whether it is being opened, followed, or both. */
  #mayFollow(stream: string): boolean {
    if (this.#followers.size + this.#opening.size < limits.followsPerSocket) return true
    const followed = new Set([...this.#followers.keys(), ...this.#opening.keys()])
    return followed.has(stream) || followed.size < limits.followsPerSocket
  }

  /** Undefined where the stream is not there or not theirs, as of the moment in which the follow begins. */
  async #openFeed(stream: string): Promise<StreamFeed | undefined> {
    const { exchange, feeds, rightsChanges } = this.#ports
    for (;;) {
      const seen = rightsChanges()
      const feed = (await exchange.mayRead(this.principal, stream)) ? await feeds.open(stream) : undefined
      // Who lost the right meanwhile was not told to stop, for there was nothing to stop yet.
      if (seen === rightsChanges()) return feed
    }
  }

  /** A log that cannot be read may be read by the next connection; one stream that is damaged concerns nobody else. */
  #unreadable(stream: string, error: unknown): void {
    this.#ports.fault(error)
    const damage = damageOf(error)
    if (!damage) {
      return this.#end(problem('storage_unavailable', 'The log cannot be read now. Come back with the cursor.'))
    }
    this.#unfollow(stream)
    this.#send({ t: 'unfollowed', stream, problem: damage })
  }

  #unfollow(stream: string): void {
    this.#opening.delete(stream)
    this.#followers.get(stream)?.close()
    if (this.#followers.delete(stream)) this.#left(stream)
  }

  #left(stream: string): void {
    this.#ports.watchers.left(stream, this)
    this.#ports.doings.left(stream, this)
  }

  async #command(frame: { id: string; stream: string; type: CommandType; data?: unknown }): Promise<void> {
    const { id, stream, type, data } = frame
    const parsed = parseCommandData({ id, stream, type, data })
    if ('issues' in parsed) {
      return this.#refuse(id, problem('invalid_request', sentence(parsed.issues), { issues: parsed.issues }))
    }
    if (this.#draining) {
      const { retryAfterMs } = this.#draining
      return this.#refuse(
        id,
        problem('draining', 'The server is going down. Come back and send it again.', { retryAfterMs }),
      )
    }
    if (this.#commands >= commandsMax) {
      const detail = 'Too many commands are under way here.'
      return this.#refuse(id, problem('rate_limited', detail, { retryAfterMs: 1_000 }))
    }
    this.#commands += 1
    this.#ports.used(this.#principal)
    try {
      const outcome = await this.#ports.exchange.command(this.principal, parsed.command)
      if (outcome.ok) this.#send({ t: 'accepted', ...outcome.accepted })
      else this.#send({ t: 'refused', id, problem: outcome.problem })
    } catch (error) {
      this.#ports.fault(error)
      const detail = 'The command could not be carried out. Send it once more with the same id.'
      this.#refuse(id, damageOf(error) ?? problem('storage_unavailable', detail))
    } finally {
      this.#commands -= 1
      this.#tellAnswered()
    }
  }

  #tellAnswered(): void {
    if (this.#commands === 0) this.#draining?.answered()
  }

  /** What nobody has carried out. */
  #refuse(id: string, refusal: Problem): void {
    this.#ports.refused(refusal.code)
    this.#send({ t: 'refused', id, problem: refusal })
  }

  async #recheck(): Promise<void> {
    const renewed = await this.#ports.renewed(this.#principal)
    if (!renewed) return this.#end(problem('unauthenticated', 'The credential is no longer valid. Sign in again.'))
    this.#principal = renewed
    this.#watchEnd()
    for (const stream of this.#followers.keys()) {
      if (await this.#ports.exchange.mayRead(this.principal, stream)) continue
      this.#unfollow(stream)
      const detail = 'You no longer have the right to read this.'
      this.#send({ t: 'unfollowed', stream, problem: problem('not_found', detail) })
    }
  }

  /** Nobody tells of a credential that has just become too old. */
  #watchEnd(): void {
    this.#cancelEnd()
    if (this.#closed) return
    const { clock } = this.#ports
    const leftMs = (this.#principal.endsMs ?? Infinity) - clock.wallMs()
    this.#cancelEnd = clock.after(Math.max(1, Math.min(leftMs, lookAgainMs)), () => this.recheck())
  }

  /** Refills by time. */
  #spend(cost: number): boolean {
    const now = this.#ports.clock.monotonicMs()
    this.#tokens = Math.min(framesBurst, this.#tokens + ((now - this.#tokensAt) / 1_000) * framesPerSecond)
    this.#tokensAt = now
    this.#tokens -= cost
    return this.#tokens >= 0
  }

  #tooMany(): void {
    this.#end(problem('rate_limited', 'Too many frames in a second.', { retryAfterMs: 1_000 }))
  }

  #end(what: Problem): void {
    this.#send({ t: 'problem', problem: what })
    this.#wire.close(closeOf(what.code), what.code)
  }

  #send(frame: Parameters<typeof ownFrame>[0]): void {
    if (!this.#closed) this.#wire.send(ownFrame(frame))
  }

  get #sink(): Sink {
    const wire = this.#wire
    return {
      send: (frame) => wire.send(frame),
      acknowledges: wire.acknowledges,
      get full() {
        return wire.queuedBytes > limits.socketQueueBytes
      },
    }
  }
}

/** Issues of a validation in words. */
export function sentence(issues: readonly { path: string; message: string }[]): string {
  return issues.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('; ')
}
