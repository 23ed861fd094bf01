import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

/** One end of a connection that remembers what came and how it ended. */
export interface TcpEnd {
  readonly socket: Socket
  readonly chunks: readonly Buffer[]
  readonly received: Buffer
  /** `open` until a FIN (`end`) or a RST (`reset`) came. */
  readonly ended: 'open' | 'end' | 'reset'
}

/** A TCP server for tests that hands out its side of each connection. */
export interface TcpPeer {
  readonly port: number
  readonly ends: readonly TcpEnd[]
  close(): Promise<void>
}

/** Starts to remember what a socket receives; with `onBytes`, also answers it. */
export function watchSocket(socket: Socket, onBytes: (bytes: Buffer) => void = () => undefined): TcpEnd {
  const chunks: Buffer[] = []
  let ended: TcpEnd['ended'] = 'open'
  socket.on('data', (bytes) => {
    chunks.push(bytes)
    onBytes(bytes)
  })
  socket.on('end', () => {
    ended = 'end'
  })
  socket.on('error', () => {
    ended = 'reset'
  })
  return {
    socket,
    chunks,
    get received() {
      return Buffer.concat(chunks)
    },
    get ended() {
      return ended
    },
  }
}

/** Starts a TCP server on a free port; `answer` sees each chunk. Neither side closes by itself. */
export async function startTcpPeer(
  answer: (bytes: Buffer, socket: Socket) => void = () => undefined,
): Promise<TcpPeer> {
  const ends: TcpEnd[] = []
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    ends.push(watchSocket(socket, (bytes) => answer(bytes, socket)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    ends,
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const end of ends) end.socket.destroy()
      await closed
    },
  }
}

/** Begins to connect to a port of 127.0.0.1 and waits for nothing. */
export function dialTcp(port: number): TcpEnd {
  return watchSocket(connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true }))
}

/** Connects to a port of 127.0.0.1; throws what connecting throws. */
export async function connectTcp(port: number): Promise<TcpEnd> {
  const end = dialTcp(port)
  await once(end.socket, 'connect')
  return end
}
