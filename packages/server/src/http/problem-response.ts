import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Problem } from '@hotline/protocol/error'
import { securityHeaders } from './security-headers.ts'

/** The content type of every refusal. */
export const problemType = 'application/problem+json; charset=utf-8'

/** Headers that a refusal has besides its body. */
export function problemHeaders(refusal: Problem): Record<string, string> {
  const headers: Record<string, string> = {}
  if (refusal.retryAfterMs !== undefined) headers['retry-after'] = String(Math.ceil(refusal.retryAfterMs / 1_000))
  if (refusal.status === 401) headers['www-authenticate'] = 'Bearer realm="hotline"'
  return headers
}

/** Answers a request that never reaches a route, and ends the connection: what follows on it is not looked at. */
export function refuseRequest(
  response: ServerResponse,
  refusal: Problem,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = JSON.stringify(refusal)
  response.writeHead(refusal.status, {
    ...securityHeaders({ tls: 'off' }),
    ...problemHeaders(refusal),
    ...headers,
    'content-type': problemType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    connection: 'close',
  })
  response.end(body)
}

/** The same where there is no request, only a socket. */
export function refuseSocket(socket: Duplex, refusal: Problem): void {
  const body = JSON.stringify(refusal)
  const headers = {
    'content-type': problemType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...problemHeaders(refusal),
    connection: 'close',
  }
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${refusal.status} ${refusal.title}\r\n${head.join('')}\r\n${body}`, () => socket.destroy())
}
