import { createServer, type Server as NetServer } from 'node:net'
import type { Server } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { ConfigError } from '../config/read-config.ts'

/** Where it listens. */
export interface Listening {
  port: number
  /** Addresses that it listens on. */
  addresses: readonly string[]
  /** What an operator should know: another port, an address that this machine does not have. */
  notes: readonly string[]
}

/**
 * Listens on all addresses with one port: the one that was asked for, or of the `furtherPorts` after it the first that is
 * free on all of them. The further
 * addresses hand their connections to the same HTTP server. They close with the app.
 */
export async function listen(
  app: FastifyInstance,
  server: Server,
  wish: { addresses: readonly string[]; port: number; furtherPorts: number },
): Promise<Listening> {
  const further: NetServer[] = []
  app.addHook('preClose', () => closeAll(further))
  const [first = '127.0.0.1', ...others] = wish.addresses
  const notes: string[] = []
  for (let port = wish.port; port <= Math.min(65_535, wish.port + wish.furtherPorts); port += 1) {
    const opened = await openFurther(server, others, port, notes)
    if (opened !== 'taken') {
      further.push(...opened.servers)
      try {
        await app.listen({ host: first, port })
        const own = addressPort(server)
        if (port === 0) {
          const after = await openFurther(server, others, own, notes)
          if (after !== 'taken') further.push(...after.servers)
          return { port: own, addresses: [first, ...(after === 'taken' ? [] : after.addresses)], notes }
        }
        if (port !== wish.port) notes.push(`Port ${wish.port} is taken; this is port ${port}.`)
        return { port: own, addresses: [first, ...opened.addresses], notes }
      } catch (error) {
        await closeAll(further.splice(0))
        if (!isTaken(error)) throw error
      }
    }
    if (wish.port === 0) break
  }
  const taken =
    wish.furtherPorts === 0
      ? `The port ${wish.port} is taken`
      : `The ports ${wish.port} to ${wish.port + wish.furtherPorts} are all taken`
  throw new ConfigError(`${taken}. Set HOTLINE_PORT to one that is free.`)
}

type Opened = { servers: readonly NetServer[]; addresses: readonly string[] } | 'taken'

async function openFurther(
  server: Server,
  addresses: readonly string[],
  port: number,
  notes: string[],
): Promise<Opened> {
  const servers: NetServer[] = []
  const opened: string[] = []
  if (port === 0) return { servers, addresses: opened }
  for (const address of addresses) {
    const one = createServer({ noDelay: true, pauseOnConnect: false }, (socket) => server.emit('connection', socket))
    try {
      await listenOn(one, address, port)
      servers.push(one)
      opened.push(address)
    } catch (error) {
      if (isTaken(error)) {
        await closeAll(servers)
        return 'taken'
      }
      const note = `This machine cannot listen on ${address}; it is left out.`
      if (!notes.includes(note)) notes.push(note)
    }
  }
  return { servers, addresses: opened }
}

function listenOn(server: NetServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, ipv6Only: host.includes(':') }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** Stops listening. Open connections belong to the HTTP server and are not waited for here. */
async function closeAll(servers: readonly NetServer[]): Promise<void> {
  for (const server of servers) server.close()
}

function addressPort(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port')
  return address.port
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
}
