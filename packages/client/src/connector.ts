import type { Problem } from '@hotline/protocol/error'
import { problem } from '@hotline/protocol/error'
import { ServerFrame, type Welcome } from '@hotline/protocol/frame'
import { limits } from '@hotline/protocol/limits'
import { subprotocol } from '@hotline/protocol/version'
import { waitBefore } from './backoff.ts'
import type { Clock } from './clock.ts'
import { type Credential, httpRequest } from './http-request.ts'
import type { ConnectionState } from './link.ts'
import { problemOfClose, unreachable } from './problem-of.ts'
import { readJson } from './read-json.ts'
import { type Watchable, watchable } from './readable.ts'
import { watchWake } from './wake.ts'

/** A try to connect that has not led to a welcome after this is given up. */
const welcomeTimeoutMs = 10_000
/** After a long silence, or when the machine woke up, the server has this long to answer a ping. */
const probeTimeoutMs = 3_000
/** Of a heartbeat's length: silence for so long is followed by a ping, so that twice the length is never passed. */
const silentBeats = 1.5
/** The close handshake of a link that is closed; a half-open connection would never finish it. */
const closeTimeoutMs = 1_000

/** The part of a WebSocket that is used here: a browser's, or Node's own. */
export type WebSocketConstructor = new (url: URL, protocol: string) => WebSocket

/** Where to connect, as whom, and with what. */
export interface ConnectorOptions {
  url: string
  credential: Credential
  client: string
  instance: string | undefined
  random: () => number
  clock: Clock
  webSocket: WebSocketConstructor
}

/** Told what happens on the connection. */
export interface Ears {
  /** Frames can be sent from now on. */
  opened(welcome: Welcome): void
  /** Any frame but those that the connection itself is about; `sizeChars` is the length of its text. */
  frame(frame: ServerFrame, sizeChars: number): void
  /** A frame of a known kind that could not be read: a fault of the server, or a newer one than we know. */
  unreadable(frame: unknown): void
  lost(): void
}

/**
 * One socket after another, for as long as it is wanted.
 *
 *   connecting ──(welcome)──▶ open ──(closed, silent)──▶ waiting ──(time, wake, reconnect)──▶ connecting
 *
 * `closed` is where it does not try again by itself: the credential was refused, the version is not spoken, or it was
 * closed from here. Every callback carries the socket it was made for, and is deaf once that is no longer the present one.
 */
export class Connector {
  readonly state: Watchable<ConnectionState>
  readonly #options: ConnectorOptions
  readonly #ears: Ears
  readonly #unwatch: () => void
  #socket: WebSocket | undefined
  /** Names the present try; an answer for an earlier one is passed over. */
  #dial: object | undefined
  /** Tries since the connection last was of use. */
  #attempt = 0
  /** When the last frame came, by the clock of the wall, which goes on while the machine sleeps; absent since a ping. */
  #heardAt: number | undefined
  #heartbeatMs: number = limits.heartbeatMs
  #cancelRetry: (() => void) | undefined
  #cancelLife: (() => void) | undefined
  #disposed = false

  /** Throws a TypeError where `url` is none. Does nothing until `start`. */
  constructor(options: ConnectorOptions, ears: Ears) {
    this.#options = options
    this.#ears = ears
    this.state = watchable<ConnectionState>({ status: 'connecting', attempt: 0 })
    socketUrl(options.url)
    this.#unwatch = watchWake(() => this.#wake())
  }

  start(): void {
    void this.#connect()
  }

  /** False where there is no connection. */
  send(frame: object): boolean {
    if (this.state.value.status !== 'open' || this.#socket?.readyState !== 1) return false
    this.#socket.send(JSON.stringify(frame))
    return true
  }

  /** Tries now, whatever the wait; also after it was closed by the server. */
  reconnect(): void {
    if (this.#disposed || this.state.value.status === 'open') return
    this.#attempt = 0
    void this.#connect()
  }

  async close(): Promise<void> {
    if (this.#disposed) return
    this.#disposed = true
    this.#unwatch()
    const socket = this.#release()
    this.state.set({ status: 'closed' })
    if (!socket || socket.readyState === 3) return
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(closeTimeoutMs, resolve)
      socket.addEventListener('close', () => {
        cancel()
        resolve()
      })
      socket.close()
    })
  }

  async #connect(): Promise<void> {
    if (this.#disposed) return
    this.#release()?.close()
    const dial = {}
    this.#dial = dial
    this.state.set({ status: 'connecting', attempt: this.#attempt })
    const hello = await this.#hello()
    if (this.#dial !== dial) return
    if ('refusal' in hello) return this.#lost(hello.refusal)
    const socket = new this.#options.webSocket(socketUrl(this.#options.url), subprotocol)
    this.#socket = socket
    this.#cancelLife = this.#options.clock.after(welcomeTimeoutMs, () => this.#drop())
    /** What the server said of the end before it came. */
    let farewell: Problem | undefined
    socket.addEventListener('open', () => socket.send(JSON.stringify({ t: 'hello', ...hello.frame })))
    socket.addEventListener('message', ({ data }: MessageEvent) => {
      if (this.#socket !== socket) return
      this.#heardAt = this.#options.clock.wallMs()
      if (typeof data === 'string') farewell = this.#receive(data) ?? farewell
    })
    socket.addEventListener('close', ({ code }) => {
      if (this.#socket === socket) this.#lost(farewell ?? problemOfClose(code))
    })
  }

  async #hello(): Promise<{ frame: object } | { refusal: Problem }> {
    const { url, credential, client, instance } = this.#options
    if (credential.kind === 'token') return { frame: { token: credential.token, client, instance } }
    const answer = await httpRequest<{ ticket: string }>(url, credential, 'POST', '/api/auth/ticket', {})
    return answer.ok ? { frame: { ticket: answer.value.ticket, client } } : { refusal: answer.problem }
  }

  /** Answers what a frame says about the end of the connection. */
  #receive(text: string): Problem | undefined {
    const input = readJson(text)
    const parsed = ServerFrame.safeParse(input)
    if (!parsed.success) {
      this.#ears.unreadable(input)
      return undefined
    }
    const frame = parsed.data
    if (frame.t === 'welcome') {
      this.#opened(frame)
      return undefined
    }
    if (frame.t === 'problem') return frame.problem
    if (frame.t === 'goodbye') {
      const facts = frame.retryAfterMs === undefined ? {} : { retryAfterMs: frame.retryAfterMs }
      return problem('draining', 'The server is going down and comes back.', facts)
    }
    // Only now is it of use: a server that lets us in and throws us out at once does not start the waits anew.
    this.#attempt = 0
    if (frame.t !== 'pong') this.#ears.frame(frame, text.length)
    return undefined
  }

  #opened(welcome: Welcome): void {
    this.#heartbeatMs = welcome.heartbeatMs
    this.state.set({ status: 'open', since: this.#options.clock.wallMs() })
    this.#listen()
    this.#ears.opened(welcome)
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
      if (this.#heardAt === undefined) this.#drop()
      else this.#listen()
    })
  }

  #wake(): void {
    const { status } = this.state.value
    if (status === 'waiting') void this.#connect()
    else if (status === 'open') this.#probe()
  }

  /** The connection may be half open: it is left at once, without waiting for its close. */
  #drop(): void {
    this.#release()?.close()
    this.#lost(unreachable('The server has not been heard from.'))
  }

  #lost(why: Problem): void {
    const wasOpen = this.state.value.status === 'open'
    this.#release()
    if (this.#disposed) return
    const { clock, random } = this.#options
    if (why.code === 'unauthenticated' || why.code === 'version_not_spoken') {
      this.state.set({ status: 'closed', problem: why })
    } else {
      this.#attempt += 1
      const { waitMs, slow } = waitBefore(this.#attempt, random, why.retryAfterMs)
      const retryAt = clock.wallMs() + waitMs
      this.#cancelRetry = clock.after(waitMs, () => void this.#connect())
      this.state.set({ status: 'waiting', attempt: this.#attempt, retryAt, problem: why, slow })
    }
    if (wasOpen) this.#ears.lost()
  }

  /** Ends whatever is under way and gives back the socket that nobody listens to any more. */
  #release(): WebSocket | undefined {
    this.#cancelRetry?.()
    this.#cancelLife?.()
    const socket = this.#socket
    this.#socket = undefined
    this.#dial = undefined
    return socket
  }
}

function socketUrl(url: string): URL {
  const target = new URL('/api/ws', url)
  target.protocol = target.protocol === 'https:' ? 'wss:' : 'ws:'
  return target
}
