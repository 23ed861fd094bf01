import type { Problem } from '@hotline/protocol/error'
import { openRawWebSocket, type RawWebSocket } from './raw-websocket.ts'
import { buildFrame, opcodes } from './websocket-frame.ts'

/** A frame of the server, as it was said. */
export interface Said {
  t: string
  [member: string]: unknown
}

/** Opens a socket and says hello with a token, or with what is given; the welcome has been read. */
export async function enterRaw(
  port: number,
  credential: string | { ticket: string },
  headers: readonly (readonly [string, string])[] = [['Host', `localhost:${port}`]],
): Promise<RawWebSocket> {
  const socket = await openRawWebSocket({ port, path: '/api/ws', protocols: ['hotline.v1'], headers })
  await say(socket, { t: 'hello', ...(typeof credential === 'string' ? { token: credential } : credential) })
  const welcome = await heard(socket, ({ t }) => t === 'welcome' || t === 'problem')
  if (welcome.t !== 'welcome') throw new Error(JSON.stringify(welcome))
  return socket
}

/** The bytes of a text frame. */
export function textFrame(frame: object): Buffer {
  return buildFrame({ opcode: opcodes.text, payload: JSON.stringify(frame) })
}

export function say(socket: RawWebSocket, frame: object): Promise<void> {
  return socket.sendBytes(textFrame(frame))
}

/** The next text frame that is meant; those before it are read over. */
export async function heard(
  socket: RawWebSocket,
  isMeant: (frame: Said) => boolean,
  deadlineMs = 30_000,
): Promise<Said> {
  for (;;) {
    const { opcode, payload } = await socket.nextFrame({ deadlineMs })
    if (opcode === opcodes.close) throw new Error(`closed with ${payload.toString('hex')}`)
    if (opcode !== opcodes.text) continue
    const frame = JSON.parse(payload.toString('utf8')) as Said
    if (isMeant(frame)) return frame
  }
}

/** A ping of the transport and its pong: whatever was sent before has been dealt with. */
export async function roundTrip(socket: RawWebSocket, before: Uint8Array = Buffer.alloc(0)): Promise<void> {
  const mark = Buffer.from(`mark ${performance.now()}`)
  await socket.sendBytes(Buffer.concat([before, buildFrame({ opcode: opcodes.ping, payload: mark })]))
  for (;;) {
    const { opcode, payload } = await socket.nextFrame()
    if (opcode === opcodes.close) throw new Error(`closed with ${payload.toString('hex')}`)
    if (opcode === opcodes.pong && payload.equals(mark)) return
  }
}

/** The code with which the server closes, and the problem that it said before. */
export async function closing(
  socket: RawWebSocket,
  deadlineMs = 30_000,
): Promise<{ code: number; problem: Problem | undefined }> {
  let problem: Problem | undefined
  for (;;) {
    const { opcode, payload } = await socket.nextFrame({ deadlineMs })
    if (opcode === opcodes.close) return { code: payload.readUInt16BE(0), problem }
    if (opcode !== opcodes.text) continue
    const said = JSON.parse(payload.toString('utf8')) as Said
    if (said.t === 'problem') problem = said['problem'] as Problem
  }
}
