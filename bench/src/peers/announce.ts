import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The length of the listen queue of every peer: a storm measures the server, not the queue. */
export const backlog = 4_096

/** Listens on a free port of loopback, says which, and calls `stop` when standard input ends. */
export function serveUntilInputEnds(server: Server, stop: () => void): void {
  server.listen({ port: 0, host: '127.0.0.1', backlog }, () => {
    process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`)
  })
  process.stdin.resume().once('end', () => {
    stop()
    server.close()
    server.closeAllConnections()
  })
}

/** An event as the publisher sends it; the server gives it its number. */
export interface PublishedEvent {
  seq: number
  type: string
  text: string
}

/** Numbers start here, so that they always have ten digits and every event the same length. */
export const firstSeq = 1_000_000_000
