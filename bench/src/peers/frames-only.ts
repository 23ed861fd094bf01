import { createServer } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import { serveUntilInputEnds } from './announce.ts'

// Speaks the frames of hotline.v1 with nothing behind them: no log, no rights, one stream. The load process is checked
// against it: without `--fault` it must find nothing, with `--fault drop|double|range` it must find just that.

/** Bytes that a follower may leave unacknowledged; past it the peer cuts it off, so that acks are known to work. */
const maxUnacknowledgedBytes = 1024 * 1024
/** Every so many events the fault happens. */
const faultEvery = 50

const faultAt = process.argv.indexOf('--fault')
const fault = faultAt === -1 ? 'none' : process.argv[faultAt + 1]

interface Follower {
  socket: WebSocket
  unacknowledgedBytes: number
}

const server = createServer()
const sockets = new WebSocketServer({ server, perMessageDeflate: false, handleProtocols: () => 'hotline.v1' })
const followers = new Map<WebSocket, Follower>()
let head = 0
let received = 0
let events: string[] = []

function say(socket: WebSocket, frame: Record<string, unknown>): void {
  socket.send(JSON.stringify(frame))
}

function flush(): void {
  // A fault of the range alone: the events are whole, but the frame claims to start later.
  const first = head - events.length + 1 + (fault === 'range' && head % faultEvery < events.length ? 1 : 0)
  const range = `"stream":"session:bench","epoch":"aaaaaaaa","from":${first},"to":${head}`
  const frame = Buffer.from(`{"t":"events",${range},"events":[${events.join(',')}]}`)
  events = []
  for (const follower of followers.values()) {
    follower.unacknowledgedBytes += frame.length
    if (follower.unacknowledgedBytes > maxUnacknowledgedBytes) follower.socket.close(4408, 'no acks')
    else follower.socket.send(frame, { binary: false })
  }
}

function append(event: unknown): void {
  received += 1
  const faulty = received % faultEvery === 0
  const copies = !faulty ? 1 : fault === 'drop' ? 0 : fault === 'double' ? 2 : 1
  for (let copy = 0; copy < copies; copy++) {
    if (events.length === 0) setImmediate(flush)
    head += 1
    events.push(JSON.stringify({ v: 1, stream: 'session:bench', seq: head, ...(event as object) }))
  }
}

function handle(socket: WebSocket, data: Buffer): void {
  const frame = JSON.parse(data.toString()) as { t: string; id?: string; data?: { events: unknown[] } }
  switch (frame.t) {
    case 'hello':
      say(socket, { t: 'welcome', connection: 'bench' })
      break
    case 'follow':
      followers.set(socket, { socket, unacknowledgedBytes: 0 })
      say(socket, { t: 'caught_up', stream: 'session:bench', epoch: 'aaaaaaaa', seq: head })
      break
    case 'command':
      for (const event of frame.data?.events ?? []) append(event)
      say(socket, { t: 'accepted', id: frame.id, seq: head, cursor: `aaaaaaaa.${head}` })
      break
    case 'ack': {
      const follower = followers.get(socket)
      if (follower !== undefined) follower.unacknowledgedBytes = 0
      break
    }
    default:
      say(socket, { t: 'problem', problem: { code: 'invalid' } })
  }
}

sockets.on('connection', (socket) => {
  socket.on('error', () => socket.terminate())
  socket.on('message', (data: Buffer) => handle(socket, data))
  socket.on('close', () => followers.delete(socket))
})

serveUntilInputEnds(server, () => {
  for (const socket of sockets.clients) socket.terminate()
})
