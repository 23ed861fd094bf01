import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { closeOf, type Problem, problem } from '@hotline/protocol/error'
import { clientFrames } from '@hotline/protocol/frame'
import { limits } from '@hotline/protocol/limits'
import { subprotocol } from '@hotline/protocol/version'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Principal } from '../access/principal.ts'
import type { Connections } from '../gate/connections.ts'
import { Gate, type GatePorts } from '../gate/gate.ts'
import type { Wire } from '../gate/wire.ts'
import type { Clock } from '../machine/clock.ts'
import { parseJson } from './json.ts'
import { websocketFrame } from './ws-frame.ts'

/** A connection that says nothing for so long, not even an answer to a ping, is gone. */
const silenceMaxMs = limits.heartbeatMs * 2.5
/** A reader that takes nothing for so long is told to come back. */
const stallMaxMs = 60_000
/** A client that does not answer a close is cut off after this. */
const closeTimeoutMs = 3_000
/** Bytes that may wait in a socket before even answers are too much. */
const queueMaxBytes = 8 * limits.socketQueueBytes

/** What the WebSocket door needs. */
export interface WebSocketPorts {
  gate: GatePorts
  connections: Connections
  /** Host, Origin and form of the upgrade; a refusal is answered before 101. */
  guard: (request: IncomingMessage) => Problem | undefined
  /** Credential in a header of the upgrade, if there is one. */
  fromHeader: (request: IncomingMessage) => Promise<Principal | Problem | undefined>
  fromHello: (hello: { token?: string; ticket?: string }, request: IncomingMessage) => Promise<Principal | Problem>
  /** Facts for the welcome frame. */
  welcome: (principal: Principal) => Promise<object>
  /** May one more socket of this account open? Sockets of one address are counted by the HTTP server. */
  admit: (principal: Principal) => boolean
  newId: () => string
  clock: Clock
}

export interface WebSocketDoor extends AsyncDisposable {
  /** Tells everybody to come back later and closes. */
  drain(retryAfterMs: number): void
}

/** `GET /api/ws`, sub-protocol `hotline.v1`. Owns the upgrade event, so that a refused socket is really closed. */
export function openWebSocketDoor(server: Server, ports: WebSocketPorts): WebSocketDoor {
  const sockets = new Set<WebSocket>()
  const options = {
    noServer: true,
    maxPayload: limits.inboundFrameBytes,
    perMessageDeflate: false,
    // Not in the types of this version yet.
    closeTimeout: closeTimeoutMs,
    handleProtocols: () => subprotocol,
  }
  const wss = new WebSocketServer(options)
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy())
    void upgrade(request, socket, head).catch((error: unknown) => {
      ports.gate.fault(error)
      refuseUpgrade(socket, problem('internal', 'The connection could not be opened.'))
    })
  }
  server.on('upgrade', onUpgrade)

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const refusal = ports.guard(request) ?? checkTarget(request)
    if (refusal) return refuseUpgrade(socket, refusal)
    const principal = await ports.fromHeader(request)
    if (principal && 'code' in principal) return refuseUpgrade(socket, principal)
    if (principal && !ports.admit(principal)) {
      return refuseUpgrade(socket, problem('rate_limited', 'Too many connections from here.', { retryAfterMs: 5_000 }))
    }
    wss.handleUpgrade(request, socket, head, (webSocket) => {
      sockets.add(webSocket)
      webSocket.on('close', () => sockets.delete(webSocket))
      converse(webSocket, socket, request, principal, ports)
    })
  }

  return {
    drain: (retryAfterMs) => {
      const goodbye = JSON.stringify({ t: 'goodbye', code: 'draining', retryAfterMs })
      for (const webSocket of sockets) {
        webSocket.send(goodbye)
        webSocket.close(closeOf('draining'), 'draining')
      }
    },
    [Symbol.asyncDispose]: () => {
      server.off('upgrade', onUpgrade)
      for (const webSocket of sockets) webSocket.terminate()
      return new Promise((resolve) => wss.close(() => resolve()))
    },
  }
}

function checkTarget(request: IncomingMessage): Problem | undefined {
  const path = (request.url ?? '').split('?', 1)[0]
  if (path !== '/api/ws') return problem('not_found', 'WebSocket is spoken at /api/ws.')
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
  if (offered.includes(subprotocol)) return undefined
  return problem('version_not_spoken', `Offer the sub-protocol ${subprotocol}.`)
}

/** An answer in place of 101, after which the socket is closed for good. */
function refuseUpgrade(socket: Duplex, refusal: Problem): void {
  const body = JSON.stringify(refusal)
  socket.end(
    `HTTP/1.1 ${refusal.status} ${refusal.title}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  )
}

function converse(
  webSocket: WebSocket,
  socket: Duplex,
  request: IncomingMessage,
  known: Principal | undefined,
  ports: WebSocketPorts,
): void {
  const { clock } = ports
  let gate: Gate | undefined
  let greeting = false
  let heardMs = clock.monotonicMs()
  let flowedMs = heardMs
  let queued = 0
  const wire: Wire = {
    send: (frame) => {
      if (webSocket.readyState !== webSocket.OPEN) return
      socket.write(websocketFrame(frame))
      if (socket.writableLength > queueMaxBytes) webSocket.terminate()
    },
    get queuedBytes() {
      return socket.writableLength
    },
    get silentMs() {
      return clock.monotonicMs() - heardMs
    },
    close: (code, reason) => webSocket.close(code, reason),
  }
  const end = (what: Problem): void => {
    wire.send({ json: Buffer.from(JSON.stringify({ t: 'problem', problem: what })) })
    webSocket.close(closeOf(what.code), what.code)
  }

  const enter = async (principal: Principal): Promise<void> => {
    const welcome = await ports.welcome(principal)
    if (webSocket.readyState !== webSocket.OPEN) return
    cancelHello()
    gate = new Gate(ports.newId(), principal, wire, ports.gate)
    wire.send({ json: Buffer.from(JSON.stringify({ t: 'welcome', connection: gate.id, ...welcome })) })
    ports.connections.add(gate)
  }
  const greet = async (input: unknown): Promise<void> => {
    const hello = clientFrames.hello.safeParse(input)
    if (!hello.success || (hello.data.ticket === undefined) === (hello.data.token === undefined)) {
      return end(problem('unauthenticated', 'Say hello first, with a ticket or a token.'))
    }
    const { token, ticket } = hello.data
    const principal = await ports.fromHello(
      { ...(token === undefined ? {} : { token }), ...(ticket === undefined ? {} : { ticket }) },
      request,
    )
    if ('code' in principal) return end(principal)
    if (!ports.admit(principal)) return end(problem('rate_limited', 'Too many connections of this account.'))
    await enter(principal)
  }

  const cancelHello = clock.after(limits.helloTimeoutMs, () =>
    end(problem('unauthenticated', 'No hello came in time.')),
  )
  const stopBeat = repeat(clock, limits.heartbeatMs, () => {
    const now = clock.monotonicMs()
    if (now - heardMs > silenceMaxMs) return webSocket.terminate()
    // Progress: the queue is empty, or smaller than at the last beat.
    if (socket.writableLength === 0 || socket.writableLength < queued) flowedMs = now
    queued = socket.writableLength
    if (now - flowedMs > stallMaxMs)
      return end(problem('too_slow', 'Nothing was read for a minute. Come back with the cursor.'))
    webSocket.ping()
    gate?.heartbeat()
  })

  socket.on('data', () => {
    heardMs = clock.monotonicMs()
  })
  socket.on('drain', () => gate?.drained())
  webSocket.on('message', (bytes: Buffer, isBinary: boolean) => {
    if (isBinary) return webSocket.close(1003, 'text frames only')
    const parsed = parseJson(bytes.toString('utf8'))
    if (gate) {
      if ('value' in parsed) return gate.receive(parsed.value)
      return gate.strike(problem('invalid_frame', parsed.detail))
    }
    if (greeting || known) return end(problem('unauthenticated', 'Wait for the welcome frame first.'))
    if (!('value' in parsed)) return end(problem('unauthenticated', 'Say hello first, with a ticket or a token.'))
    greeting = true
    greet(parsed.value).catch((error: unknown) => {
      ports.gate.fault(error)
      end(problem('internal', 'The connection could not be opened.'))
    })
  })
  webSocket.on('error', () => webSocket.terminate())
  webSocket.on('close', () => {
    cancelHello()
    stopBeat()
    if (!gate) return
    gate.closed()
    ports.connections.remove(gate)
  })
  if (known) {
    enter(known).catch((error: unknown) => {
      ports.gate.fault(error)
      end(problem('internal', 'The connection could not be opened.'))
    })
  }
}

/** Calls again and again with a pause in between; the answer ends it. */
function repeat(clock: Clock, everyMs: number, beat: () => void): () => void {
  let cancel = clock.after(everyMs, tick)
  function tick(): void {
    cancel = clock.after(everyMs, tick)
    beat()
  }
  return () => cancel()
}
