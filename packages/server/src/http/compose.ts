import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { type Problem, problem } from '@hotline/protocol/error'
import type { Config } from '../config/read-config.ts'
import { systemClock } from '../machine/clock.ts'
import type { Logger } from '../machine/logger.ts'
import { addressReader } from './addresses.ts'
import { type Doors, openDoors } from './doors.ts'
import { defaultTimeouts, type HttpTimeouts, openFastify, sendProblem } from './fastify-app.ts'
import { openGuard } from './guard.ts'
import { type HostTable, hostTable } from './hosts.ts'
import { listen, type Listening } from './listen.ts'
import { type RegisterRoutes, registerRoutes, type RoutePorts } from './register-routes.ts'
import { openRequestLimits } from './request-limits.ts'
import type { DeclaredRoute } from './route.ts'
import { openRouter } from './router.ts'
import { limitSockets } from './socket-limit.ts'
import { servePage } from './static-page.ts'

/** Ports that are tried after the one that was asked for. */
const furtherPorts = 20
/** When the server goes down: requests that were sent before anybody could know get their refusal, and not a closed line. */
const lingerMs = 50
/** After that: for requests under way; whoever has not sent theirs by then is cut off. */
const endMs = 5_000

/** What the HTTP side is made of. */
export interface HttpPorts extends RoutePorts {
  config: Config
  logger: Logger
  /** Folder of the built page; it may come to exist later. */
  pageDir: string
  /** Shorter ones are for tests. */
  timeouts?: HttpTimeouts | undefined
}

/** The HTTP server before and while it listens. Disposing ends requests that are under way and closes it. */
export interface Http extends AsyncDisposable {
  /** For the WebSocket door, which owns its upgrade event. */
  readonly server: Server
  readonly doors: Doors
  readonly declared: readonly DeclaredRoute[]
  /** Everything that the framework answers, the page too, as `GET /api/me`. */
  readonly served: readonly string[]
  /** Opens the port. `origin` is what people are told: with `localhost`, or the public URL. */
  /** `local` is how programs of this machine reach it, whatever people are told. */
  listen(): Promise<Listening & { origin: string; local: string }>
  /** From now on every request is told to come back later, and streams are ended. */
  drain(): void
}

/** Puts the HTTP side together. Does not listen yet. Tests add routes of their own to those that there are. */
export async function composeHttp(ports: HttpPorts, register: RegisterRoutes = registerRoutes): Promise<Http> {
  const { config, access, metrics, timeouts = defaultTimeouts } = ports
  const tls = config.tls && {
    cert: readFileSync(config.tls.certPath),
    key: readFileSync(config.tls.keyPath),
  }
  const closing = new AbortController()
  const draining = (): Problem | undefined =>
    closing.signal.aborted
      ? problem('draining', 'The server is going down. Come back in a moment.', { retryAfterMs: 2_000 })
      : undefined
  // Until the port is known no name is right.
  let hosts: HostTable = new Map()
  const addresses = addressReader(config.trustedProxies)
  const guard = openGuard({ hosts: () => hosts, addresses, corsOrigins: config.corsOrigins })
  const { app, server, served, visitOf } = openFastify({
    guard,
    logger: ports.logger,
    metrics,
    bodyBytes: config.limits.bodyBytes,
    timeouts,
    tls,
    draining,
  })
  limitSockets(server, config.limits.socketsPerAddress, addresses)
  const limits = openRequestLimits(config.limits)
  const doors = openDoors({ authenticator: access.authenticator, guard, draining })
  const refused = (refusal: Problem): void => metrics.refusals.inc({ code: refusal.code })
  const { route, declared } = openRouter({
    app,
    doors,
    limits,
    proofs: access.proofs,
    visitOf,
    closing: closing.signal,
    refused,
  })

  register(route, ports, () => declared)
  await servePage({
    app,
    dir: ports.pageDir,
    tls: tls ? 'on' : 'off',
    admit: async (request, reply) => {
      const refusal = await limits.fromNetwork(visitOf(request)?.network ?? '')
      if (refusal) sendProblem(reply, refusal)
      return refusal === undefined
    },
  })

  return {
    server,
    doors,
    declared,
    served,
    listen: async () => {
      const { listen: wished, publicUrl } = config
      const listening = await listen(app, server, {
        addresses: wished,
        port: config.port,
        // Where people look for it under a name, it is at that port or not at all.
        furtherPorts: publicUrl === undefined ? furtherPorts : 0,
      })
      hosts = hostTable({ listen: wished, port: listening.port, publicUrl, tls: tls ? 'on' : 'off' })
      const own = [...hosts.values()].map(({ origin }) => origin)
      return { ...listening, origin: publicUrl ?? own[0] ?? '', local: own[0] ?? '' }
    },
    drain: () => closing.abort(),
    [Symbol.asyncDispose]: async () => {
      closing.abort()
      await pause(lingerMs)
      const cancel = systemClock.after(endMs, () => server.closeAllConnections())
      await app.close()
      cancel()
    },
  }
}
