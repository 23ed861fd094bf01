import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { closeOf, type Problem, problem } from '@hotline/protocol/error'
import { limits } from '@hotline/protocol/limits'
import { permissionsSubprotocol } from '@hotline/protocol/permissions'
import { messagePackSubprotocol, subprotocol } from '@hotline/protocol/version'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Principal } from '../access/principal.ts'
import type { Clock } from '../machine/clock.ts'
import { refuseSocket } from './problem-response.ts'
import type { Known } from '../gate/reception.ts'
import { openAgentLine } from './agent-line/agent-line.ts'
import { openTaskUpdates } from './task-updates/task-updates.ts'
import type { UpdateDesk } from './task-updates/update-desk.ts'
import { readUpdatesTarget } from './task-updates/read-target.ts'
import { type FoundAgent, readLineTarget } from './agent-line/find-agent.ts'
import type { LineDesk } from './agent-line/open-agent-lines.ts'
import { openInteract } from './interact/interact.ts'
import type { InteractDesk } from './interact/interact-desk.ts'
import { readInteractTarget } from './interact/read-target.ts'
import type { PermissionDesk } from './permissions/permission-desk.ts'
import { openPermissionLine } from './permissions/permission-line.ts'
import { frameSpeech, type Speech } from './speech.ts'
import { type ConversationPorts, converse, queueMaxBytes } from './ws-conversation.ts'
import { type FrameForm, textMessage } from './ws-frame.ts'
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
  lines: LineDesk
  updates: UpdateDesk
  interact: InteractDesk
  permissions: PermissionDesk
}

/** The way in over WebSocket, with all who came through it. */
export interface WebSocketDoor extends AsyncDisposable {
  /**
   * Answers what is under way, refuses what else comes, tells everybody to come back later and closes. Resolves when all
   * have gone, or soon after.
   */
  drain(retryAfterMs: number): Promise<void>
}

/**
 * `GET /api/ws`, sub-protocols `hotline.v1` and `hotline.v1.msgpack`, `GET /ws/agents/:name` without one, and `GET /ws/permissions` with
 * `permissions.v1` or without one. Owns the upgrade event, so that a refused socket is really closed.
 */
export function openWebSocketDoor(server: Server, ports: WebSocketPorts): WebSocketDoor {
  const sockets = new Map<WebSocket, { socket: Duplex; speech: Speech }>()
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
  const lineWss = new WebSocketServer({ ...options, perMessageDeflate: false, handleProtocols: () => false })
  const permissionOptions = { ...options, handleProtocols: () => permissionsSubprotocol }
  const permissionsWss = new WebSocketServer({ ...permissionOptions, perMessageDeflate: false })
  // For those alone that ask for it: it costs memory for each of them. What they send is bounded once it is inflated.
  const compressedWss = new WebSocketServer({ ...permissionOptions, perMessageDeflate: compressionOffer })
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
  function track(webSocket: WebSocket, socket: Duplex, speech: Speech): void {
    sockets.set(webSocket, { socket, speech })
    webSocket.on('close', () => {
      sockets.delete(webSocket)
      if (sockets.size === 0) gone()
    })
    // It was on its way in when the others were told.
    leave?.(webSocket)
  }

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const target = ports.guard(request) ?? readTarget(request)
    if ('code' in target) return refuseSocket(socket, target)
    const rightsSeen = ports.gate.rightsChanges()
    const principal = await ports.fromHeader(request)
    if (principal && 'code' in principal) return refuseSocket(socket, principal)
    if (principal && !ports.admit(principal)) {
      return refuseSocket(socket, problem('rate_limited', 'Too many connections from here.', { retryAfterMs: 5_000 }))
    }
    const known: Known | undefined = principal && { principal, rightsSeen }
    switch (target.speech) {
      case 'frames':
        return wss.handleUpgrade(request, socket, head, (webSocket) => open(webSocket, frameSpeech(formOf(webSocket))))
      case 'permissions':
        return (target.compress ? compressedWss : permissionsWss).handleUpgrade(request, socket, head, (webSocket) =>
          open(webSocket, permissionSpeech(webSocket, socket, target)),
        )
      case 'updates':
        return lineWss.handleUpgrade(request, socket, head, (webSocket) =>
          open(webSocket, updateSpeech(webSocket, socket, target)),
        )
      case 'interact':
        return lineWss.handleUpgrade(request, socket, head, (webSocket) =>
          open(webSocket, interactSpeech(webSocket, socket, target)),
        )
      case 'line': {
        const { name } = target
        const found = principal && (await ports.lines.find(principal, name))
        if (found && 'code' in found) return refuseSocket(socket, found)
        lineWss.handleUpgrade(request, socket, head, (webSocket) =>
          open(webSocket, lineSpeech(webSocket, socket, { name, found })),
        )
      }
    }

    function open(webSocket: WebSocket, speech: Speech): void {
      track(webSocket, socket, speech)
      converse(webSocket, socket, request, known, speech, ports)
    }
  }

  function lineSpeech(
    webSocket: WebSocket,
    socket: Duplex,
    { name, found }: { name: string; found: FoundAgent | undefined },
  ): Speech {
    const { gate, clock, newId, lines } = ports
    return openAgentLine({
      name,
      found,
      say: (message) => write(webSocket, socket, textMessage(message)),
      desk: lines,
      snapshot: (stream) => gate.exchange.snapshot(stream),
      fault: gate.fault,
      clock,
      newId,
    })
  }

  function updateSpeech(
    webSocket: WebSocket,
    socket: Duplex,
    { task, since }: { task: string; since: string | undefined },
  ): Speech {
    const { gate, clock, updates } = ports
    return openTaskUpdates({
      task,
      since,
      desk: updates,
      say: (message) => write(webSocket, socket, textMessage(message)),
      clock,
      fault: gate.fault,
    })
  }

  function interactSpeech(webSocket: WebSocket, socket: Duplex, place: { project: string; task: string }): Speech {
    const { gate, clock, newId, interact } = ports
    return openInteract({
      project: place.project,
      task: place.task,
      desk: interact,
      say: (message) => write(webSocket, socket, textMessage(message)),
      clock,
      newId,
      fault: gate.fault,
    })
  }

  function permissionSpeech(webSocket: WebSocket, socket: Duplex, { after, batch }: PermissionTarget): Speech {
    const { gate, clock, newId, permissions } = ports
    return openPermissionLine({
      after,
      form: { compression: formOf(webSocket).compression, batch },
      desk: permissions,
      write: (bytes) => write(webSocket, socket, bytes),
      room: () => roomIn(socket),
      clock,
      newId,
      fault: gate.fault,
    })
  }

  /** What a speech has to say by itself. */
  function write(webSocket: WebSocket, socket: Duplex, bytes: Uint8Array): void {
    if (webSocket.readyState !== webSocket.OPEN) return
    socket.write(bytes)
    ports.gate.traffic.framesSent += 1
    if (socket.writableLength > queueMaxBytes) webSocket.terminate()
  }

  return {
    drain: async (retryAfterMs) => {
      const { clock, connections } = ports
      const answered = connections.all().map((connection) => connection.drain(retryAfterMs))
      await within(clock, answersMs, Promise.all(answered))
      const goodbye = ownFrame({ t: 'goodbye', code: 'draining', retryAfterMs })
      leave = (webSocket) => {
        const one = sockets.get(webSocket)
        const bytes = webSocket.readyState === webSocket.OPEN ? one?.speech.write(goodbye) : undefined
        if (bytes) one?.socket.write(bytes)
        webSocket.close(closeOf('draining'), 'draining')
      }
      for (const webSocket of sockets.keys()) leave(webSocket)
      const all = new Promise<void>((resolve) => {
        gone = resolve
        if (sockets.size === 0) resolve()
      })
      await within(clock, goodbyeMs, all)
    },
    [Symbol.asyncDispose]: () => {
      server.off('upgrade', onUpgrade)
      for (const webSocket of sockets.keys()) webSocket.terminate()
      return new Promise((resolve) =>
        wss.close(() => lineWss.close(() => permissionsWss.close(() => compressedWss.close(() => resolve())))),
      )
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

/** What is spoken at an address. */
type Target =
  | { speech: 'frames' }
  | { speech: 'line'; name: string }
  | { speech: 'updates'; task: string; since: string | undefined }
  | { speech: 'interact'; project: string; task: string }
  | PermissionTarget

/** `after`: where an earlier connection stood. `compress`, `batch`: what its client wishes and can read. */
interface PermissionTarget {
  speech: 'permissions'
  after: string | undefined
  compress: boolean
  batch: boolean
}

/** Where `permissions.v1` is spoken; the others are for clients that know no path. */
const permissionPaths: ReadonlySet<string> = new Set(['/ws/permissions', '/ws', '/'])

function readTarget(request: IncomingMessage): Target | Problem {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2)
  const line = readLineTarget(path)
  if (line) return 'code' in line ? line : { speech: 'line', ...line }
  const updates = readUpdatesTarget(path, query)
  if (updates) return 'code' in updates ? updates : { speech: 'updates', ...updates }
  const interact = readInteractTarget(path)
  if (interact) return 'code' in interact ? interact : { speech: 'interact', ...interact }
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
  if (permissionPaths.has(path)) {
    if (offered.includes('') || offered.includes(permissionsSubprotocol)) return readWishes(new URLSearchParams(query))
    return problem('version_not_spoken', `The sub-protocol ${permissionsSubprotocol} is spoken here, and no other.`)
  }
  if (path !== '/api/ws') {
    return problem(
      'not_found',
      'WebSocket is spoken at /api/ws, /ws/permissions, /ws/agents/:name, /api/agent/:taskId/updates and /api/projects/:id/tasks/:taskId/interact.',
    )
  }
  if (offered.some(isSpoken)) return { speech: 'frames' }
  return problem(
    'version_not_spoken',
    `This server speaks the sub-protocol ${subprotocol}. Reload the page, or update the older of the two.`,
  )
}

function readWishes(query: URLSearchParams): PermissionTarget | Problem {
  const [compress, batch] = [query.get('compress'), query.get('batch')]
  for (const wish of [compress, batch]) {
    if (wish !== null && wish !== 'true')
      return problem('invalid_request', '"compress" and "batch" are "true", or absent.')
  }
  return {
    speech: 'permissions',
    after: query.get('after') ?? undefined,
    compress: compress === 'true',
    batch: batch === 'true',
  }
}

/** Resolves when more may be written to a socket, or it is gone. */
function roomIn(socket: Duplex): Promise<void> {
  if (socket.writableLength <= limits.socketQueueBytes || socket.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    socket.once('drain', done)
    socket.once('close', done)
    function done(): void {
      socket.off('drain', done)
      socket.off('close', done)
      resolve()
    }
  })
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
