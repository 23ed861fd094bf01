import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { type Problem, problem } from '@hotline/protocol/error'
import type { Access } from '../access/open-access.ts'
import type { Config } from '../config/read-config.ts'
import type { Lists } from '../log/lists.ts'
import type { Logger } from '../machine/logger.ts'
import type { Metrics } from '../machine/metrics.ts'
import { addressReader } from './addresses.ts'
import { type Doors, openDoors } from './doors.ts'
import { defaultTimeouts, type HttpTimeouts, openFastify, sendProblem } from './fastify-app.ts'
import { openGuard } from './guard.ts'
import { type HostTable, hostTable } from './hosts.ts'
import { listen, type Listening } from './listen.ts'
import { openRequestLimits } from './request-limits.ts'
import type { DeclaredRoute, RegisterRoute } from './route.ts'
import { openRouter } from './router.ts'
import { registerAccountRoutes } from './routes/accounts.ts'
import { registerAuthRoutes } from './routes/auth.ts'
import { registerHealthRoutes } from './routes/health.ts'
import { registerKeyRoutes } from './routes/keys.ts'
import { limitSockets } from './socket-limit.ts'
import { servePage } from './static-page.ts'

/** Ports that are tried after the one that was asked for. */
const furtherPorts = 20

/** What the HTTP side is made of. */
export interface HttpPorts {
  config: Config
  access: Access
  lists: Lists
  logger: Logger
  metrics: Metrics
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
  /** Adds a route; only before `listen`. */
  readonly route: RegisterRoute
  readonly declared: readonly DeclaredRoute[]
  /** Opens the port. `origin` is what people are told: with `localhost`, or the public URL. */
  /** `local` is how programs of this machine reach it, whatever people are told. */
  listen(): Promise<Listening & { origin: string; local: string }>
  /** From now on every request is told to come back later, and streams are ended. */
  drain(): void
}

/** Puts the HTTP side together with its own routes; others are added through `route`. Does not listen yet. */
export async function composeHttp(ports: HttpPorts): Promise<Http> {
  const { config, access, lists, metrics, timeouts = defaultTimeouts } = ports
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
  const guard = openGuard({ hosts: () => hosts, addresses })
  const { app, server, visitOf } = openFastify({
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

  registerAuthRoutes(route, access)
  registerAccountRoutes(route, access, lists)
  registerKeyRoutes(route, access.keys)
  registerHealthRoutes(route, {
    metrics,
    notReady: async () => {
      await lists.fact('ready')
      return undefined
    },
  })
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
    route,
    declared,
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
      await app.close()
    },
  }
}
