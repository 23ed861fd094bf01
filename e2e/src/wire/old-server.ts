import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { ByteReader } from '@hotline/testing/byte-reader'
import { buildFrame, opcodes, readFrame } from '@hotline/testing/websocket-frame'
import { eventsOf, type Frame, type Transcript } from './transcript.ts'

const handshakeSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Speaks as the server of a transcript did, to whatever client comes. */
export interface OldServer extends AsyncDisposable {
  readonly url: string
  readonly stream: string
  /** What it has, in the form in which it says it. */
  readonly events: readonly Frame[]
  /** Frames of clients, as they came. */
  readonly heard: readonly Frame[]
}

/**
 * Answers each frame as its like was answered then. The events come in as many parts as there are commands. With
 * `strange`, members, frames and events that nobody knows come in between.
 */
export async function startOldServer(transcript: Transcript, kind: 'as it was' | 'strange'): Promise<OldServer> {
  const { session, lines } = transcript
  const stream = `session:${session}`
  const isStrange = kind === 'strange'
  const { epoch, events: old } = eventsOf(transcript)
  const events = (isStrange ? old.flatMap((event) => [event, songOf(event)]) : old).map((event, at) => ({
    ...event,
    ...(isStrange ? { sung: true } : {}),
    seq: at + 1,
  }))
  const heard: Frame[] = []
  const sockets = new Set<Socket>()
  const answerTo = (t: string, of: (frame: Frame) => boolean = () => true): Frame => {
    const line = lines.find(
      ({ from, voice, frame }) => from === 'server' && voice === 'person' && frame.t === t && of(frame),
    )
    if (!line) throw new Error(`the transcript has no "${t}"`)
    return line.frame
  }

  const converse = async (socket: Socket): Promise<void> => {
    const reader = new ByteReader(socket)
    let told = 0
    let following = false
    const say = (frame: Frame): void => {
      const given = isStrange ? { ...frame, mood: { of: 'tomorrow' } } : frame
      for (const one of isStrange ? [{ t: 'song', text: 'la' }, given] : [given]) {
        socket.write(buildFrame({ opcode: opcodes.text, payload: JSON.stringify(one), mask: 'none' }))
      }
    }
    const tellUpTo = (to: number): void => {
      if (!following || to <= told) return
      say({ t: 'events', stream, epoch, from: told + 1, to, events: events.slice(told, to) })
      told = to
      say({ ...answerTo('caught_up'), stream, epoch, seq: to })
    }
    for (;;) {
      const { opcode, payload } = await readFrame(reader, 600_000)
      if (opcode === opcodes.close) return void socket.end()
      if (opcode !== opcodes.text) continue
      const frame = JSON.parse(payload.toString('utf8')) as Frame
      heard.push(frame)
      if (frame.t === 'hello') say(answerTo('welcome'))
      else if (frame.t === 'ping') say(answerTo('pong'))
      else if (frame.t === 'follow' && frame['stream'] !== stream) {
        say({ ...answerTo('unfollowed'), stream: frame['stream'] })
      } else if (frame.t === 'follow') {
        following = true
        told = Number(String(frame['after']).split('.')[1] ?? 0)
        tellUpTo(Math.ceil(events.length / 2))
      } else if (frame.t === 'command') {
        const isRefused = frame['type'] === 'message.withdraw'
        say({ ...answerTo(isRefused ? 'refused' : 'accepted'), id: frame['id'] })
        if (!isRefused) tellUpTo(events.length)
      }
    }
  }

  const server = createServer((_request, response) => response.writeHead(404).end())
  server.on('upgrade', (request, socket: Socket) => {
    sockets.add(socket)
    const accepted = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}${handshakeSuffix}`)
      .digest('base64')
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Protocol: hotline.v1\r\nSec-WebSocket-Accept: ${accepted}\r\n\r\n`,
    )
    // Ends with the client.
    converse(socket).catch(() => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stream,
    events,
    heard,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** An event of a type that comes in some later version. */
function songOf(event: Frame): Frame {
  return { ...event, type: 'song.sung', data: { of: 'tomorrow' }, body: { text: 'la' } }
}

/** A server that speaks another version only, and says so to everybody. */
export async function startForeignServer(refusal: object): Promise<{ url: string } & AsyncDisposable> {
  const body = JSON.stringify(refusal)
  const server = createServer((_request, response) =>
    response.writeHead(426, { 'content-type': 'application/problem+json' }).end(body),
  )
  server.on('upgrade', (_request, socket: Socket) =>
    socket.end(`HTTP/1.1 426 Upgrade Required\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
