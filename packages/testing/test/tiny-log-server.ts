import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Envelope } from '@hotline/protocol/event'
import { parseCursor } from '@hotline/protocol/stream'
import { type WebSocket, WebSocketServer } from 'ws'

/** A frame as a client sent it. */
export interface Received {
  t: string
  stream?: string
  after?: string
  id?: string
  seq?: number
  token?: string
  ticket?: string
  [member: string]: unknown
}

/**
 * A log server as small as one can be, over real sockets, for what a right server would never do: it loses, repeats,
 * falls silent and says goodbye when a test says so. Commands to `session:…` append one event each, once per id.
 */
export interface TinyLogServer extends AsyncDisposable {
  readonly url: string
  /** Every frame of every connection, in the order in which they came. */
  readonly received: Received[]
  /** Bodies of HTTP requests, by method and path. */
  readonly requests: { line: string; authorization: string | undefined; body: unknown }[]
  readonly sockets: ReadonlySet<WebSocket>
  /** Connections since the start. */
  readonly connected: number
  readonly events: readonly Envelope[]
  epoch: string
  heartbeatMs: number
  /** Commands are answered with this in place of being carried out, as long as it answers something. */
  refuse: (frame: Received) => object | undefined
  /** May keep a frame from being understood: `true` means that it was dealt with. */
  intercept: (socket: WebSocket, frame: Received) => boolean
  /** Appends, and tells the followers unless told not to. */
  append(count: number, telling?: 'told' | 'untold'): void
  /** A frame of events to everybody, right or wrong. */
  say(frame: object): void
  batch(from: number, to: number): object
  heartbeat(): void
  /** Ends every connection without a word, as a crash does. */
  cut(): void
  /** Forgets the log and begins another one. */
  replaceLog(epoch: string, count: number): void
}

const stream = 'session:s1'

export async function startTinyLogServer(): Promise<TinyLogServer> {
  const sockets = new Set<WebSocket>()
  /** How far each connection that follows was told. */
  const told = new Map<WebSocket, number>()
  const answers = new Map<string, object>()
  let events: Envelope[] = []
  const tiny = {
    received: [] as Received[],
    requests: [] as TinyLogServer['requests'],
    sockets,
    connected: 0,
    epoch: 'aaaaaaaa',
    heartbeatMs: 15_000,
    refuse: (_frame: Received): object | undefined => undefined,
    intercept: (_socket: WebSocket, _frame: Received): boolean => false,
  }

  const push = (cause?: string, text?: string): Envelope => {
    const seq = events.length + 1
    const event: Envelope = {
      v: 1,
      stream,
      seq,
      at: new Date().toISOString(),
      type: 'message.posted',
      subject: `message:${cause ?? seq}`,
      actor: { kind: 'person', id: 'dana' },
      ...(cause === undefined ? {} : { cause }),
      data: { message: cause ?? String(seq), role: 'person', chars: 1, queued: true },
      body: { text: text ?? String(seq) },
      hash: `${tiny.epoch}:${seq}`,
    }
    events.push(event)
    return event
  }
  const send = (socket: WebSocket, frame: object): void => socket.send(JSON.stringify(frame))
  const batch = (from: number, to: number): object => ({
    t: 'events',
    stream,
    epoch: tiny.epoch,
    from,
    to,
    events: events.slice(from - 1, to),
  })
  const tell = (): void => {
    for (const [socket, at] of told) {
      if (at < events.length) send(socket, batch(at + 1, events.length))
      told.set(socket, events.length)
    }
  }
  const carryOut = (frame: Received): object => {
    const id = frame.id ?? ''
    const before = answers.get(id)
    if (before) return before
    const { seq } = push(id, (frame['data'] as { text?: string } | undefined)?.text)
    const answer = { id, seq, cursor: `${tiny.epoch}.${seq}` }
    answers.set(id, answer)
    return answer
  }

  function understand(socket: WebSocket, frame: Received): void {
    if (frame.t === 'hello') {
      const principal = { kind: 'person', id: 'dana', name: 'Dana', admin: false }
      const serverTime = new Date().toISOString()
      send(socket, {
        t: 'welcome',
        connection: 'c',
        principal,
        projects: [],
        serverTime,
        heartbeatMs: tiny.heartbeatMs,
      })
    } else if (frame.t === 'ping') send(socket, { t: 'pong' })
    else if (frame.t === 'unfollow') told.delete(socket)
    else if (frame.t === 'follow') follow(socket, frame.after ?? '')
    else if (frame.t === 'command') {
      const refusal = tiny.refuse(frame)
      if (refusal) return send(socket, { t: 'refused', id: frame.id, problem: refusal })
      const answer = carryOut(frame)
      tell()
      send(socket, { t: 'accepted', ...answer })
    }
  }

  function follow(socket: WebSocket, after: string): void {
    const cursor = parseCursor(after)
    const at = cursor === 'now' ? events.length : cursor === 'start' ? 0 : (cursor?.seq ?? 0)
    const strange = typeof cursor === 'object' && cursor.epoch !== tiny.epoch
    if (strange || at > events.length) {
      told.delete(socket)
      const reason = strange ? 'epoch' : 'ahead'
      return send(socket, { t: 'reset', stream, reason, epoch: tiny.epoch, head: events.length })
    }
    if (at < events.length) send(socket, batch(at + 1, events.length))
    told.set(socket, events.length)
    send(socket, { t: 'caught_up', stream, epoch: tiny.epoch, seq: events.length })
  }

  async function answerHttp(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    const body: unknown = text === '' ? undefined : JSON.parse(text)
    const line = `${request.method} ${request.url}`
    tiny.requests.push({ line, authorization: request.headers.authorization, body })
    const value =
      line === 'POST /api/auth/ticket'
        ? { ticket: `ticket-${tiny.requests.length}` }
        : line === 'POST /api/commands'
          ? carryOut(body as Received)
          : undefined
    if (line === 'POST /api/commands') tell()
    response.writeHead(value ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(value ?? {}))
  }

  const http = createServer((request, response) => {
    answerHttp(request, response).catch((error: unknown) => {
      // A request that breaks off has nobody to answer.
      if (request.complete) throw error
    })
  })
  const wss = new WebSocketServer({ server: http, path: '/api/ws', handleProtocols: () => 'hotline.v1' })
  wss.on('connection', (socket) => {
    sockets.add(socket)
    tiny.connected += 1
    socket.on('close', () => {
      sockets.delete(socket)
      told.delete(socket)
    })
    socket.on('message', (bytes: Buffer) => {
      const frame = JSON.parse(bytes.toString()) as Received
      tiny.received.push(frame)
      if (!tiny.intercept(socket, frame)) understand(socket, frame)
    })
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))

  return Object.assign(tiny, {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    get events(): readonly Envelope[] {
      return events
    },
    append: (count: number, telling: 'told' | 'untold' = 'told') => {
      for (let index = 0; index < count; index += 1) push()
      if (telling === 'told') tell()
      else for (const socket of told.keys()) told.set(socket, events.length)
    },
    say: (frame: object) => {
      for (const socket of sockets) send(socket, frame)
    },
    batch,
    heartbeat: () => {
      for (const socket of sockets) {
        send(socket, { t: 'heads', heads: told.has(socket) ? { [stream]: `${tiny.epoch}.${events.length}` } : {} })
      }
    },
    cut: () => {
      for (const socket of sockets) socket.terminate()
    },
    replaceLog: (epoch: string, count: number) => {
      tiny.epoch = epoch
      events = []
      answers.clear()
      for (let index = 0; index < count; index += 1) push()
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.terminate()
      wss.close()
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  })
}
