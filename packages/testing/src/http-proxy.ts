import { createServer, type IncomingMessage, request as sendRequest, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'

/** What stands between a client and a server, and does not know what it carries. */
export interface HttpProxy extends AsyncDisposable {
  readonly port: number
  /** Of a WebSocket: carried, answered with an error, or never answered. */
  upgrades: 'pass' | 'refuse' | 'swallow'
  /** Passed on as they come, kept until they are whole, or refused. */
  answers: 'pass' | 'buffer' | 'refuse'
  /** Milliseconds after which an answer or an upgraded connection is cut, as idle or not. */
  cutAfterMs: number | undefined
  /** Cuts everything that is open. */
  cut(): void
}

/**
 * A reverse proxy for a server on this machine, with the faults that such things have. It names the server as its host, unless
 * it listens on a port by which the server is known: then it passes on the name that it was asked by.
 */
export async function startHttpProxy(targetPort: number, knownPort?: number): Promise<HttpProxy> {
  const sockets = new Set<Duplex>()
  const hold = (socket: Duplex): void => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
  }
  const cutLater = (socket: Duplex): void => {
    if (proxy.cutAfterMs === undefined) return
    const timer = setTimeout(() => socket.destroy(), proxy.cutAfterMs)
    socket.on('close', () => clearTimeout(timer))
  }
  const headersOf = ({ headers }: IncomingMessage): IncomingMessage['headers'] => ({
    ...headers,
    ...(knownPort === undefined ? { host: `localhost:${targetPort}` } : {}),
  })

  const forward = (request: IncomingMessage, response: ServerResponse): void => {
    if (proxy.answers === 'refuse') {
      response.writeHead(502).end('bad gateway')
      return
    }
    const { answers } = proxy
    const { method, url } = request
    const upstream = sendRequest({
      port: targetPort,
      host: '127.0.0.1',
      method,
      path: url,
      headers: headersOf(request),
    })
    request.pipe(upstream)
    response.on('close', () => upstream.destroy())
    upstream.on('error', () => response.destroy())
    upstream.on('response', (answer) => {
      cutLater(request.socket)
      answer.on('error', () => response.destroy())
      if (answers === 'pass') {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        response.flushHeaders()
        answer.pipe(response)
        return
      }
      const parts: Buffer[] = []
      answer.on('data', (part: Buffer) => parts.push(part))
      answer.on('end', () => response.writeHead(answer.statusCode ?? 502, answer.headers).end(Buffer.concat(parts)))
    })
  }

  const carry = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    hold(socket)
    if (proxy.upgrades === 'swallow') return
    if (proxy.upgrades === 'refuse') {
      socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
      return
    }
    const upstream: Socket = connect(targetPort, '127.0.0.1', () => {
      const lines = Object.entries(headersOf(request)).map(([name, value]) => `${name}: ${String(value)}`)
      upstream.write(`GET ${request.url ?? '/'} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
      upstream.write(head)
      upstream.pipe(socket)
      socket.pipe(upstream)
    })
    hold(upstream)
    cutLater(socket)
    socket.on('close', () => upstream.destroy())
    upstream.on('close', () => socket.destroy())
  }

  const server = createServer(forward)
  server.on('connection', hold)
  server.on('upgrade', carry)
  await new Promise<void>((resolve) => server.listen(knownPort ?? 0, '127.0.0.1', resolve))
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  const proxy: HttpProxy = {
    port: (server.address() as AddressInfo).port,
    upgrades: 'pass',
    answers: 'pass',
    cutAfterMs: undefined,
    cut,
    [Symbol.asyncDispose]: async () => {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return proxy
}
