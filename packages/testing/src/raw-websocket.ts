import { createHash, randomBytes } from 'node:crypto'
import { ByteReaderError } from './byte-reader.ts'
import type { StreamEnd } from './byte-reader.ts'
import { headerOf, openRawConnection } from './raw-http.ts'
import type { RawConnection, RawResponse, RawTarget } from './raw-http.ts'
import { buildFrame, opcodes, readFrame } from './websocket-frame.ts'
import type { FrameSpec, RawFrame } from './websocket-frame.ts'

/** An upgrade request, in which everything can be wrong on purpose. */
export interface UpgradeOptions extends RawTarget {
  /** `/` when absent. */
  path?: string
  /** `Sec-WebSocket-Protocol`. */
  protocols?: readonly string[]
  /** Added as they are, in order; a header of the same name that a right upgrade has is left away. */
  headers?: readonly (readonly [name: string, value: string])[]
  /** Names of headers to leave away. */
  without?: readonly string[]
  /** `GET` when absent. */
  method?: string
  deadlineMs?: number
}

/** How the line ended, seen from the client. */
export interface LineEnd {
  /** From the close frame; undefined when none came, 1005 when it had no code. */
  readonly code: number | undefined
  readonly reason: string
  /** How the TCP connection ended after that. */
  readonly stream: StreamEnd
}

/** A WebSocket client without any manners of its own: it answers no ping and no close, and sends what it is told. */
export interface RawWebSocket extends AsyncDisposable {
  /** The response that opened it. */
  readonly response: RawResponse
  /** Sends one frame, right or wrong. Throws when the connection is gone. */
  send(frame: FrameSpec): Promise<void>
  /** Sends any bytes, e.g. a part of a frame. Throws when the connection is gone. */
  sendBytes(bytes: Uint8Array): Promise<void>
  /** The next frame; who asks for none is a reader that has stopped. Throws a ByteReaderError when none comes. */
  nextFrame(options?: { deadlineMs?: number }): Promise<RawFrame>
  /** Reads over all frames until the line has ended. Throws a ByteReaderError when it has not by the deadline. */
  waitForEnd(options?: { deadlineMs?: number }): Promise<LineEnd>
  /** Sends a FIN and goes on reading. */
  finish(): void
  /** Sends a RST. */
  reset(): void
}

/** What became of an upgrade. */
export type UpgradeOutcome =
  | { readonly kind: 'open'; readonly socket: RawWebSocket }
  | { readonly kind: 'refused'; readonly response: RawResponse }

const handshakeSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** Time for a close handshake of a busy machine. */
const defaultEndDeadlineMs = 30_000

function upgradeRequest(options: UpgradeOptions, key: string): string {
  const { host = '127.0.0.1', port, path = '/', protocols, headers = [], without = [], method = 'GET' } = options
  const right: [string, string][] = [
    ['Host', `${host}:${port}`],
    ['Connection', 'Upgrade'],
    ['Upgrade', 'websocket'],
    ['Sec-WebSocket-Version', '13'],
    ['Sec-WebSocket-Key', key],
  ]
  if (protocols !== undefined) right.push(['Sec-WebSocket-Protocol', protocols.join(', ')])
  const left = new Set([...without, ...headers.map(([name]) => name)].map((name) => name.toLowerCase()))
  const lines = [...right.filter(([name]) => !left.has(name.toLowerCase())), ...headers]
  return `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
}

function rawWebSocket(connection: RawConnection, response: RawResponse): RawWebSocket {
  let code: number | undefined
  let reason = ''
  const nextFrame = async (deadlineMs?: number): Promise<RawFrame> => {
    const frame = await readFrame(connection.reader, deadlineMs)
    if (frame.opcode === opcodes.close) {
      code = frame.payload.length < 2 ? 1005 : frame.payload.readUInt16BE()
      reason = frame.payload.subarray(2).toString()
    }
    return frame
  }
  return {
    response,
    send: (frame) => connection.send(buildFrame(frame)),
    sendBytes: (bytes) => connection.send(bytes),
    nextFrame: ({ deadlineMs } = {}) => nextFrame(deadlineMs),
    async waitForEnd({ deadlineMs = defaultEndDeadlineMs } = {}) {
      const startedAt = performance.now()
      for (;;) {
        try {
          await nextFrame(Math.max(0, deadlineMs - (performance.now() - startedAt)))
        } catch (error) {
          if (!(error instanceof ByteReaderError) || error.why === 'deadline') throw error
          return { code, reason, stream: error.why }
        }
      }
    },
    finish: () => connection.finish(),
    reset: () => connection.reset(),
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  }
}

/**
 * Asks for an upgrade and says what became of it. Throws a ByteReaderError when no whole answer comes, and an Error
 * when the answer is no HTTP or accepts another key than the one that was sent.
 */
export async function requestUpgrade(options: UpgradeOptions): Promise<UpgradeOutcome> {
  const key = randomBytes(16).toString('base64')
  const connection = await openRawConnection(options)
  try {
    await connection.send(upgradeRequest(options, key))
    const deadlineMs = options.deadlineMs
    const response = await connection.readResponse(deadlineMs === undefined ? {} : { deadlineMs })
    if (response.status !== 101) {
      await connection[Symbol.asyncDispose]()
      return { kind: 'refused', response }
    }
    const replacesKey = options.headers?.some(([name]) => name.toLowerCase() === 'sec-websocket-key') ?? false
    const accepted = createHash('sha1').update(`${key}${handshakeSuffix}`).digest('base64')
    if (!replacesKey && headerOf(response, 'sec-websocket-accept') !== accepted) {
      throw new Error('the server accepted another key than the one that was sent')
    }
    return { kind: 'open', socket: rawWebSocket(connection, response) }
  } catch (error) {
    await connection[Symbol.asyncDispose]()
    throw error
  }
}

/** Opens a raw WebSocket. Throws as `requestUpgrade` does, and an Error with status and body when it is refused. */
export async function openRawWebSocket(options: UpgradeOptions): Promise<RawWebSocket> {
  const outcome = await requestUpgrade(options)
  if (outcome.kind === 'open') return outcome.socket
  const { status, body } = outcome.response
  throw new Error(`the upgrade was refused with ${status}: ${body.toString().slice(0, 500)}`)
}
