import type { ErrorCode, Problem } from '@hotline/protocol/error'
import type { ServerFrame, Welcome } from '@hotline/protocol/server-frame'
import { limits } from '@hotline/protocol/limits'
import { waitBefore } from './backoff.ts'
import type { Carrier, CarrierOptions, OpenCarrier, Transport, SentFrame } from './carrier.ts'
import { HttpCarrier } from './http-carrier.ts'
import type { ConnectionState } from './link.ts'
import { unreachable } from './problem-of.ts'
import { type Watchable, watchable } from './readable.ts'
import { openSocketCarrier, socketUrl } from './socket-carrier.ts'
import type { TransportMemory } from './transport-memory.ts'
import { watchWake } from './wake.ts'

/** A try to connect that has not led to a welcome after this is given up. */
const welcomeTimeoutMs = 10_000
/** A transport that has not led to a welcome after this gets company: the last of the three is under way after twice as long. */
const companyAfterMs = 1_000
/** After a long silence, or when the machine woke up, the server has this long to answer a ping. */
const probeTimeoutMs = 3_000
/** Of a heartbeat's length: silence for so long is followed by a ping, so that twice the length is never passed. */
const silentBeats = 1.5
/** On a lesser transport, a better one is tried this often. */
const climbEveryMs = 30_000
/** A transport whose connection ends sooner than this, again and again, is no good here. */
const shortLifeMs = 20_000
const shortLivesMax = 2

/** Where to connect, as whom, with what, and by which ways. */
export interface ConnectorOptions extends CarrierOptions {
  random: () => number
  longestWaitMs: number | undefined
  /** Those that may be used, the best first. */
  transports: readonly Transport[]
  memory: TransportMemory
}

/** Told what happens on the connection. */
export interface Ears {
  /** Frames can be sent from now on, and commands in the way that this carrier has. */
  opened(welcome: Welcome, commands: Carrier['commands']): void
  /** Any frame but those that the connection itself is about; `sizeChars` is the length of its text. */
  frame(frame: ServerFrame, sizeChars: number): void
  /** A frame of a known kind that could not be read: a fault of the server, or a newer one than we know. */
  unreadable(frame: unknown): void
  lost(): void
}

const openers: Record<Transport, OpenCarrier> = {
  websocket: openSocketCarrier,
  stream: (options, ears) => new HttpCarrier('stream', options, ears),
  poll: (options, ears) => new HttpCarrier('poll', options, ears),
}

/**
 * One connection after another, for as long as it is wanted.
 *
 *   connecting ──(welcome)──▶ open ──(ended, silent)──▶ waiting ──(time, wake, reconnect)──▶ connecting
 *
 * To connect is a race: the transport that served last, or else the best, goes first, and the others follow when it fails
 * or takes long; the first welcome wins. From a lesser transport it climbs back when a better one leads to a welcome.
 * `closed` is where it does not try again by itself: the credential was refused, the version is not spoken, or it was
 * closed from here.
 */
export class Connector {
  readonly state: Watchable<ConnectionState>
  readonly #options: ConnectorOptions
  readonly #ears: Ears
  readonly #unwatch: () => void
  /** The one in use. */
  #carrier: Carrier | undefined
  /** Those on their way to a welcome. */
  readonly #racing = new Set<Carrier>()
  /** Tries since the connection last was of use. */
  #attempt = 0
  #openedAt = 0
  /** When the last frame came, by the clock of the wall, which goes on while the machine sleeps; absent since a ping. */
  #heardAt: number | undefined
  #heartbeatMs: number = limits.heartbeatMs
  readonly #shortLives = new Map<Transport, number>()
  #cancelRetry: (() => void) | undefined
  #cancelCompany: (() => void) | undefined
  #cancelRace: (() => void) | undefined
  #cancelLife: (() => void) | undefined
  #cancelClimb: (() => void) | undefined
  #disposed = false

  /** Throws a TypeError where `url` is none. Does nothing until `start`. */
  constructor(options: ConnectorOptions, ears: Ears) {
    this.#options = options
    this.#ears = ears
    this.state = watchable<ConnectionState>({ status: 'connecting', attempt: 0 })
    socketUrl(options.url)
    this.#unwatch = watchWake(() => this.wake())
  }

  start(): void {
    this.#connect()
  }

  /** False where there is no connection. */
  send(frame: SentFrame): boolean {
    return this.state.value.status === 'open' && this.#carrier?.send(frame) === true
  }

  /** Tries now, whatever the wait; also after it was closed by the server. */
  reconnect(): void {
    if (this.#disposed || this.state.value.status === 'open') return
    this.#attempt = 0
    this.#connect()
  }

  async close(): Promise<void> {
    if (this.#disposed) return
    this.#disposed = true
    this.#unwatch()
    const carrier = this.#carrier
    this.#release()
    this.state.set({ status: 'closed' })
    await carrier?.close()
  }

  #connect(): void {
    if (this.#disposed) return
    this.#release()
    this.state.set({ status: 'connecting', attempt: this.#attempt })
    this.#cancelRace = this.#options.clock.after(welcomeTimeoutMs, () => this.#lost(silent()))
    this.#race(this.#order())
  }

  /** The best first, but for what has served here before, and what did not. */
  #order(): readonly Transport[] {
    const { transports: allowed, memory } = this.#options
    const good = allowed.filter((transport) => (this.#shortLives.get(transport) ?? 0) < shortLivesMax)
    const remembered = memory.recall()
    const first = good.filter((transport) => transport === remembered)
    return [...new Set([...first, ...good, ...allowed])]
  }

  /** Sends the first on its way; the others follow. */
  #race([first, ...rest]: readonly Transport[]): void {
    if (first === undefined) return
    let followed = false
    const next = (): void => {
      this.#cancelCompany?.()
      if (followed) return
      followed = true
      this.#race(rest)
    }
    if (rest.length > 0) this.#cancelCompany = this.#options.clock.after(companyAfterMs, next)
    this.#dial(first, (why) => {
      if (saidByServer.has(why.code)) return this.#lost(why)
      next()
      if (this.#racing.size === 0) this.#lost(why)
    })
  }

  #dial(transport: Transport, failed: (why: Problem) => void): void {
    const carrier = openers[transport](this.#options, {
      frame: (frame, sizeChars) => this.#receive(carrier, frame, sizeChars),
      unreadable: (frame) => carrier === this.#carrier && this.#ears.unreadable(frame),
      ended: (why) => {
        if (carrier === this.#carrier) return this.#lost(why)
        if (this.#racing.delete(carrier)) failed(why)
      },
    })
    this.#racing.add(carrier)
  }

  #receive(carrier: Carrier, frame: ServerFrame, sizeChars: number): void {
    if (frame.t === 'welcome') {
      if (this.#racing.delete(carrier)) this.#opened(carrier, frame)
      return
    }
    if (carrier !== this.#carrier) return
    this.#heardAt = this.#options.clock.wallMs()
    if (frame.t === 'problem' || frame.t === 'goodbye') return
    // Only now is it of use: a server that lets us in and throws us out at once does not start the waits anew.
    this.#attempt = 0
    if (frame.t !== 'pong') this.#ears.frame(frame, sizeChars)
  }

  /** The first welcome wins; where there was another connection, this one takes its place. */
  #opened(carrier: Carrier, welcome: Welcome): void {
    const { clock, memory } = this.#options
    const climbed = this.#carrier !== undefined
    this.#release()
    this.#carrier = carrier
    this.#openedAt = clock.wallMs()
    this.#heardAt = this.#openedAt
    this.#heartbeatMs = welcome.heartbeatMs
    memory.remember(carrier.transport)
    if (climbed) this.#ears.lost()
    this.state.set({ status: 'open', since: this.#openedAt, transport: carrier.transport })
    this.#listen()
    this.#climbLater()
    this.#ears.opened(welcome, carrier.commands)
  }

  /** Tries a better transport beside the one that works. */
  #climbLater(): void {
    const { clock, transports: allowed } = this.#options
    const present = this.#carrier?.transport
    const better = allowed.slice(0, present === undefined ? 0 : allowed.indexOf(present))
    if (better.length === 0) return
    this.#cancelClimb = clock.after(climbEveryMs, () => {
      for (const tried of this.#racing) void tried.close()
      this.#racing.clear()
      for (const transport of better) this.#dial(transport, () => undefined)
      this.#climbLater()
    })
  }

  /** Waits for silence: a ping is the last chance of a connection that may only have been asleep with the machine. */
  #listen(): void {
    const { clock } = this.#options
    const limitMs = this.#heartbeatMs * silentBeats
    const silentMs = this.#heardAt === undefined ? limitMs : clock.wallMs() - this.#heardAt
    // Below nothing: the clock was set back, and nobody knows for how long it was silent.
    if (silentMs < 0 || silentMs >= limitMs) return this.#probe()
    this.#cancelLife?.()
    this.#cancelLife = clock.after(limitMs - silentMs, () => this.#listen())
  }

  #probe(): void {
    const { clock } = this.#options
    this.#heardAt = undefined
    this.send({ t: 'ping' })
    this.#cancelLife?.()
    this.#cancelLife = clock.after(Math.min(probeTimeoutMs, this.#heartbeatMs / 2), () => {
      // One that is half open is left without waiting for its close.
      if (this.#heardAt === undefined) this.#lost(silent())
      else this.#listen()
    })
  }

  /** A moment at which the connection may have died without a word, or may be made again. */
  wake(): void {
    const { status } = this.state.value
    if (status === 'waiting') this.#connect()
    else if (status === 'open') this.#probe()
  }

  #lost(why: Problem): void {
    const { clock, random, longestWaitMs } = this.#options
    const carrier = this.#carrier
    this.#release()
    if (this.#disposed) return
    if (carrier) this.#judge(carrier.transport, why)
    if (why.code === 'unauthenticated' || why.code === 'version_not_spoken') {
      this.state.set({ status: 'closed', problem: why })
    } else {
      this.#attempt += 1
      const { waitMs, slow } = waitBefore(this.#attempt, random, why.retryAfterMs, longestWaitMs)
      const retryAt = clock.wallMs() + waitMs
      this.#cancelRetry = clock.after(waitMs, () => this.#connect())
      this.state.set({ status: 'waiting', attempt: this.#attempt, retryAt, problem: why, slow })
    }
    if (carrier) this.#ears.lost()
  }

  /** What lets everybody in and then cuts or swallows the connection is found out by how long it lived. */
  #judge(transport: Transport, why: Problem): void {
    const short = why.code === 'unreachable' && this.#options.clock.wallMs() - this.#openedAt < shortLifeMs
    this.#shortLives.set(transport, short ? (this.#shortLives.get(transport) ?? 0) + 1 : 0)
  }

  /** Ends whatever is under way. */
  #release(): void {
    this.#cancelRetry?.()
    this.#cancelCompany?.()
    this.#cancelRace?.()
    this.#cancelLife?.()
    this.#cancelClimb?.()
    for (const carrier of this.#racing) void carrier.close()
    this.#racing.clear()
    void this.#carrier?.close()
    this.#carrier = undefined
  }
}

/** Whoever says such a thing is the server; over another way it would say the same. */
const saidByServer: ReadonlySet<ErrorCode> = new Set([
  'unauthenticated',
  'version_not_spoken',
  'rate_limited',
  'draining',
  'forbidden',
  'already_exists',
])

function silent(): Problem {
  return unreachable('The server has not been heard from.')
}
