import { type CommandType, issuesOf, parseCommandData } from '@hotline/protocol/command'
import { closeOf, type ErrorCode, type Problem, problem } from '@hotline/protocol/error'
import { ClientFrame } from '@hotline/protocol/frame'
import { Id } from '@hotline/protocol/ids'
import { limits } from '@hotline/protocol/limits'
import { z } from 'zod'
import type { Watchers } from './watchers.ts'
import type { Principal } from '../access/principal.ts'
import type { Sink } from '../feed/follower.ts'
import { ownFrame } from '../feed/shared-frame.ts'
import { damageOf } from '../log/store-unavailable.ts'
import { Allowance } from '../machine/allowance.ts'
import type { Clock } from '../machine/clock.ts'
import type { Connection } from './connections.ts'
import { type FollowPorts, Follows } from './follows.ts'
import type { Wire } from './wire.ts'

/** Frames that cannot be understood before the connection is closed. */
const strikesMax = 5
/** What a connection may send in one burst, and in each second; a frame costs one, an acknowledgement far less. */
const framesBurst = 400
const framesPerSecond = 200
const acknowledgementCost = 0.02
/** A runner speaks for many agents, and its reports are paced by their answers. */
const runnerFrameCost = 0.004
/** Commands of one connection that may be under way. */
const commandsMax = 256
/** A credential is looked at again this often, also one that ends later: timers reach no further than 24 days. */
const lookAgainMs = 60 * 60 * 1_000

/** What can be answered by its id, whatever else is wrong with it. */
const NamedCommand = z.looseObject({ t: z.literal('command'), id: Id })

/** What a conversation needs of the server. */
export interface GatePorts extends FollowPorts {
  watchers: Pick<Watchers, 'mayType'>
  /** The principal with its rights read anew; undefined where its credential no longer holds. */
  renewed: (principal: Principal) => Promise<Principal | undefined>
  /** Told that a principal has sent a command. */
  used: (principal: Principal) => void
  /** Tells those who follow a stream something that is not logged. */
  whisper: (stream: string, frame: { kind: string; [fact: string]: unknown }, except: Connection) => void
  clock: Clock
  /** Told of commands that are refused here, before anybody carried them out. */
  refused: (code: ErrorCode) => void
}

/**
 * One connection's conversation after it has proved who it is, whatever the transport: follows, commands, heartbeats.
 * Answers to commands and urgent events are written at once; bulk waits for room in the socket.
 */
export class Gate implements Connection {
  readonly id: string
  readonly instance: string | undefined
  readonly sinceMs: number
  #principal: Principal
  readonly #wire: Wire
  readonly #ports: GatePorts
  readonly #follows: Follows
  readonly #frames: Allowance
  #strikes = 0
  #commands = 0
  #cancelEnd: () => void = () => undefined
  #closed = false
  #draining: { retryAfterMs: number; answered: () => void } | undefined

  constructor(id: string, principal: Principal, wire: Wire, ports: GatePorts, instance?: string) {
    this.id = id
    this.instance = instance
    this.sinceMs = ports.clock.wallMs()
    this.#principal = principal
    this.#wire = wire
    this.#ports = ports
    this.#frames = new Allowance(framesBurst, framesPerSecond, ports.clock)
    this.#follows = new Follows(
      {
        connection: this,
        sink: sinkOf(wire),
        isClosed: () => this.#closed,
        send: (frame) => this.#send(frame),
        unreadable: () =>
          this.#end(problem('storage_unavailable', 'The log cannot be read now. Come back with the cursor.')),
      },
      ports,
    )
    this.#watchEnd()
  }

  /** A frame as it was parsed from JSON; nothing about it is known yet. */
  receive(input: unknown): void {
    if (this.#closed) return
    const parsed = ClientFrame.safeParse(input)
    if (!parsed.success) {
      const named = NamedCommand.safeParse(input)
      if (named.success) return this.#refuseUnread(named.data.id, issuesOf(parsed.error, ''))
      const path = parsed.error.issues[0]?.path.join('.') ?? ''
      return this.strike(problem('invalid_frame', `This frame is not understood${path ? ` (at "${path}")` : ''}.`))
    }
    const frame = parsed.data
    const cost = frame.t === 'ack' ? acknowledgementCost : this.principal.kind === 'runner' ? runnerFrameCost : 1
    if (!this.#frames.take(cost).ok) return this.#tooMany()
    switch (frame.t) {
      case 'hello':
        return this.strike(problem('invalid_frame', 'The connection has said hello already.'))
      case 'ping':
        return this.#send({ t: 'pong' })
      case 'follow':
        void this.#follows.open(frame.stream, frame.after, frame.without)
        return
      case 'unfollow':
        return this.#follows.leave(frame.stream)
      case 'ack':
        return this.#follows.acknowledge(frame.stream, frame.seq)
      case 'typing':
        if (this.#follows.has(frame.stream) && this.#ports.watchers.mayType(frame.stream, this.principal)) {
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
    const affordable = this.#frames.take().ok
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
    this.#follows.resume()
  }

  /** Heads of what is followed, so that a lost last event is found. */
  heartbeat(): void {
    this.#send({ t: 'heads', heads: this.#follows.heads() })
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
    return this.#follows.size
  }

  follows(stream: string): boolean {
    return this.#follows.has(stream)
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
    this.#follows.close()
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

  /** Its sender waits for an answer: one that speaks of commands of a later Hotline, say. */
  #refuseUnread(id: string, issues: ReturnType<typeof issuesOf>): void {
    if (!this.#frames.take(this.principal.kind === 'runner' ? runnerFrameCost : 1).ok) return this.#tooMany()
    this.#refuse(id, problem('invalid_request', sentence(issues), { issues }))
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
    await this.#follows.recheck(renewed)
  }

  /** Nobody tells of a credential that has just become too old. */
  #watchEnd(): void {
    this.#cancelEnd()
    if (this.#closed) return
    const { clock } = this.#ports
    const leftMs = (this.#principal.endsMs ?? Infinity) - clock.wallMs()
    this.#cancelEnd = clock.after(Math.max(1, Math.min(leftMs, lookAgainMs)), () => this.recheck())
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
}

function sinkOf(wire: Wire): Sink {
  return {
    send: (frame) => wire.send(frame),
    acknowledges: wire.acknowledges,
    get full() {
      return wire.queuedBytes > limits.socketQueueBytes
    },
  }
}

/** Issues of a validation in words. */
export function sentence(issues: readonly { path: string; message: string }[]): string {
  return issues.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('; ')
}
