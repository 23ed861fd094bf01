import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { closeOf, type Problem, problem } from '@hotline/protocol/error'
import { limits } from '@hotline/protocol/limits'
import { messagePackSubprotocol, subprotocol } from '@hotline/protocol/version'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Principal } from '../access/principal.ts'
import type { Clock } from '../machine/clock.ts'
import { refuseSocket } from './problem-response.ts'
import type { Known } from '../gate/reception.ts'
import { type ConversationPorts, converse } from './ws-conversation.ts'
import { type FrameForm, websocketFrame } from './ws-frame.ts'
import { ownFrame } from '../feed/shared-frame.ts'

/** A client that does not answer a close is cut off after this. */
const closeTimeoutMs = 3_000
/** When the server goes down: for the answers to commands that are under way; who waits longer sends them again. */
const answersMs = 2_000
/** After that: for clients to take the goodbye and close. To cut at once may take away again what they have not read. */
const goodbyeMs = 1_000

/** What the WebSocket door needs. */
export interface WebSocketPorts extends ConversationPorts {
  compression: FrameForm['compression']
  /** Host, Origin and form of the upgrade; a refusal is answered before 101. */
  guard: (request: IncomingMessage) => Problem | undefined
  /** Credential in a header of the upgrade, if there is one. */
  fromHeader: (request: IncomingMessage) => Promise<Principal | Problem | undefined>
}

/** The way in over WebSocket, with all who came through it. */
export interface WebSocketDoor extends AsyncDisposable {
  /**
   * Answers what is under way, refuses what else comes, tells everybody to come back later and closes. Resolves when all
   * have gone, or soon after.
   */
  drain(retryAfterMs: number): Promise<void>
}

/** `GET /api/ws`, sub-protocols `hotline.v1` and `hotline.v1.msgpack`. Owns the upgrade event, so that a refused socket is really closed. */
export function openWebSocketDoor(server: Server, ports: WebSocketPorts): WebSocketDoor {
  const sockets = new Set<WebSocket>()
  const underlying = new WeakMap<WebSocket, Duplex>()
  const options = {
    noServer: true,
    maxPayload: limits.inboundFrameBytes,
    // Our own frames are compressed by ourselves, once for all; those of the other side are bounded when they are read.
    perMessageDeflate: ports.compression === 'off' ? false : compressionOffer,
    // By itself the library cuts a connection without a word when it cannot write its pongs as fast as pings come.
    autoPong: false,
    // Not in the types of this version yet.
    closeTimeout: closeTimeoutMs,
    handleProtocols: (offered: Set<string>) => [...offered].find(isSpoken) ?? subprotocol,
  }
  const wss = new WebSocketServer(options)
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy())
    void upgrade(request, socket, head).catch((error: unknown) => {
      ports.gate.fault(error)
      refuseSocket(socket, problem('internal', 'The connection could not be opened.'))
    })
  }
  server.on('upgrade', onUpgrade)

  let leave: ((webSocket: WebSocket) => void) | undefined
  let gone: () => void = () => undefined

  /** By itself, so that what listens for the close does not hold the request of the upgrade as well. */
  function track(webSocket: WebSocket): void {
    sockets.add(webSocket)
    webSocket.on('close', () => {
      sockets.delete(webSocket)
      if (sockets.size === 0) gone()
    })
    // It was on its way in when the others were told.
    leave?.(webSocket)
  }

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const refusal = ports.guard(request) ?? checkTarget(request)
    if (refusal) return refuseSocket(socket, refusal)
    const rightsSeen = ports.gate.rightsChanges()
    const principal = await ports.fromHeader(request)
    if (principal && 'code' in principal) return refuseSocket(socket, principal)
    if (principal && !ports.admit(principal)) {
      return refuseSocket(socket, problem('rate_limited', 'Too many connections from here.', { retryAfterMs: 5_000 }))
    }
    const known: Known | undefined = principal && { principal, rightsSeen }
    wss.handleUpgrade(request, socket, head, (webSocket) => {
      underlying.set(webSocket, socket)
      track(webSocket)
      converse(webSocket, socket, request, known, formOf(webSocket), ports)
    })
  }

  return {
    drain: async (retryAfterMs) => {
      const { clock, connections } = ports
      const answered = connections.all().map((connection) => connection.drain(retryAfterMs))
      await within(clock, answersMs, Promise.all(answered))
      const goodbye = ownFrame({ t: 'goodbye', code: 'draining', retryAfterMs })
      leave = (webSocket) => {
        const socket = underlying.get(webSocket)
        if (webSocket.readyState === webSocket.OPEN) socket?.write(websocketFrame(goodbye, formOf(webSocket)))
        webSocket.close(closeOf('draining'), 'draining')
      }
      for (const webSocket of sockets) leave(webSocket)
      const all = new Promise<void>((resolve) => {
        gone = resolve
        if (sockets.size === 0) resolve()
      })
      await within(clock, goodbyeMs, all)
    },
    [Symbol.asyncDispose]: () => {
      server.off('upgrade', onUpgrade)
      for (const webSocket of sockets) webSocket.terminate()
      return new Promise((resolve) => wss.close(() => resolve()))
    },
  }
}

/** Each message by itself, so that one compression serves all; the library itself compresses nothing. */
const compressionOffer = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  // Ours. Whoever offers to take only a smaller one gets nothing compressed.
  serverMaxWindowBits: 15,
  threshold: Number.MAX_SAFE_INTEGER,
  concurrencyLimit: 4,
}

/** Resolves when the promise does, or after the time. */
function within(clock: Clock, timeMs: number, what: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(timeMs, resolve)
    void what.then(() => {
      cancel()
      resolve()
    })
  })
}

function checkTarget(request: IncomingMessage): Problem | undefined {
  const path = (request.url ?? '').split('?', 1)[0]
  if (path !== '/api/ws') return problem('not_found', 'WebSocket is spoken at /api/ws.')
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
  if (offered.some(isSpoken)) return undefined
  return problem('version_not_spoken', `Offer the sub-protocol ${subprotocol}.`)
}

function isSpoken(name: string): boolean {
  return name === subprotocol || name === messagePackSubprotocol
}

function formOf({ protocol, extensions }: WebSocket): FrameForm {
  return {
    format: protocol === messagePackSubprotocol ? 'messagepack' : 'json',
    compression: extensions.includes('permessage-deflate') ? 'large-batches' : 'off',
  }
}
