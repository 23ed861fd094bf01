import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { ByteReader } from './byte-reader.ts'
import type { StreamEnd } from './byte-reader.ts'

/** Where to connect to. */
export interface RawTarget {
  /** 127.0.0.1 when absent. */
  host?: string
  port: number
}

/** A response as it came: headers in order, with doubles, names as they were written. */
export interface RawResponse {
  readonly status: number
  readonly reason: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer
}

/** A connection that sends any bytes and reads HTTP/1.1 responses. */
export interface RawConnection extends AsyncDisposable {
  /** Sends bytes as they are (text as Latin-1); resolves when the kernel has them, throws when it refuses. */
  send(bytes: string | Uint8Array): Promise<void>
  /** Sends bytes in pieces with pauses; ends early, and says so, when the other side closes the connection. */
  trickle(bytes: string | Uint8Array, pace: { sizeBytes: number; everyMs: number }): Promise<'sent' | 'closed'>
  /**
   * The next response. `method` tells whether it has a body (a HEAD has none). Throws a ByteReaderError when it does
   * not come whole, and an Error when it is not HTTP.
   */
  readResponse(options?: { method?: string; deadlineMs?: number }): Promise<RawResponse>
  /** All bytes up to the end of the connection. Throws a ByteReaderError when it does not end in time. */
  readToEnd(options?: { deadlineMs?: number }): Promise<Buffer>
  /** How the other side ended it, as far as was read. */
  readonly end: StreamEnd | undefined
  /** For what speaks another protocol after the first response. */
  readonly reader: ByteReader
  /** Sends a FIN and goes on reading. */
  finish(): void
  /** Sends a RST. */
  reset(): void
}

/** The value of the first header of that name, in any case; undefined when there is none. */
export function headerOf(response: RawResponse, name: string): string | undefined {
  return response.headers.find(([own]) => own.toLowerCase() === name.toLowerCase())?.[1]
}

async function readChunked(reader: ByteReader, deadlineMs: number | undefined): Promise<Buffer> {
  const chunks: Buffer[] = []
  for (;;) {
    const line = (await reader.readThrough('\r\n', 'the size of a chunk', deadlineMs)).toString('latin1')
    const sizeBytes = Number.parseInt(line, 16)
    if (Number.isNaN(sizeBytes)) throw new Error(`not the size of a chunk: ${JSON.stringify(line)}`)
    if (sizeBytes === 0) break
    chunks.push(await reader.readExactly(sizeBytes, 'a chunk', deadlineMs))
    await reader.readExactly(2, 'the end of a chunk', deadlineMs)
  }
  // Trailers, up to an empty line, are read over.
  while ((await reader.readThrough('\r\n', 'the trailers', deadlineMs)).length > 2);
  return Buffer.concat(chunks)
}

async function readHttp(reader: ByteReader, method: string, deadlineMs: number | undefined): Promise<RawResponse> {
  const head = (await reader.readThrough('\r\n\r\n', 'the head of a response', deadlineMs)).toString('latin1')
  const [statusLine = '', ...lines] = head.slice(0, -4).split('\r\n')
  const match = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(statusLine)
  if (match === null) throw new Error(`not the first line of a response: ${JSON.stringify(statusLine)}`)
  const headers = lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const
  })
  const bare = { status: Number(match[1]), reason: match[2] ?? '', headers, body: Buffer.alloc(0) }
  if (method === 'HEAD' || bare.status < 200 || bare.status === 204 || bare.status === 304) return bare
  const length = headerOf(bare, 'content-length')
  if (headerOf(bare, 'transfer-encoding')?.toLowerCase() === 'chunked') {
    return { ...bare, body: await readChunked(reader, deadlineMs) }
  }
  if (length === undefined) return { ...bare, body: await reader.readToEnd('a body without a length', deadlineMs) }
  return { ...bare, body: await reader.readExactly(Number(length), 'the body', deadlineMs) }
}

/** Opens a TCP connection. Throws what connecting throws. */
export async function openRawConnection({ host = '127.0.0.1', port }: RawTarget): Promise<RawConnection> {
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true })
  await once(socket, 'connect')
  const reader = new ByteReader(socket)
  const write = (bytes: string | Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      const raw = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
      socket.write(raw, (error) => (error ? reject(error) : resolve()))
    })
  return {
    send: write,
    async trickle(bytes, { sizeBytes, everyMs }) {
      const raw = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
      for (let at = 0; at < raw.length; at += sizeBytes) {
        if (at > 0) await pause(everyMs)
        try {
          await write(raw.subarray(at, at + sizeBytes))
        } catch {
          return 'closed'
        }
      }
      return 'sent'
    },
    readResponse: ({ method = 'GET', deadlineMs } = {}) => readHttp(reader, method, deadlineMs),
    readToEnd: ({ deadlineMs } = {}) => reader.readToEnd('the end of the connection', deadlineMs),
    get end() {
      return reader.end
    },
    reader,
    finish() {
      socket.end()
    },
    reset() {
      socket.resetAndDestroy()
    },
    async [Symbol.asyncDispose]() {
      if (socket.closed) return
      const closed = once(socket, 'close')
      socket.destroy()
      await closed
    },
  }
}

/** Sends raw bytes over a new connection, reads one response and closes. Throws as `readResponse` does. */
export async function sendRawRequest(
  target: RawTarget,
  bytes: string | Uint8Array,
  options: { method?: string; deadlineMs?: number } = {},
): Promise<RawResponse> {
  const connection = await openRawConnection(target)
  try {
    await connection.send(bytes)
    return await connection.readResponse(options)
  } finally {
    await connection[Symbol.asyncDispose]()
  }
}
