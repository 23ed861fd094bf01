import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { type Problem, problem } from '@hotline/protocol/error'
import { fastify, type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { damageOf } from '../log/store-unavailable.ts'
import type { Logger } from '../machine/logger.ts'
import type { Metrics } from '../machine/metrics.ts'
import type { Guard, Visit } from './guard.ts'
import { parseJsonBytes } from './json.ts'
import { problemHeaders, problemType, refuseRequest, refuseSocket } from './problem-response.ts'
import { corsHeaders, preflightHeaders } from './cors.ts'
import { securityHeaders } from './security-headers.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route declares it; one that does not is refused at the start. */
    permission?: string
    /** Its body is a file. */
    upload?: 'bytes' | undefined
  }
}

/** Milliseconds until a connection that does not get on is cut. */
export interface HttpTimeouts {
  /** For the head of a request. */
  headersMs: number
  /** For a whole request, body included. */
  requestMs: number
  /** The same where the body is a file. */
  uploadMs: number
  /** Without any byte, unless the socket was upgraded. Longer than a long poll waits. */
  silenceMs: number
  /** Between two requests on one connection. */
  keepAliveMs: number
  /** How often the first two are looked at. */
  checkMs: number
}

/** What holds where a test does not say otherwise. */
export const defaultTimeouts: HttpTimeouts = {
  headersMs: 10_000,
  requestMs: 30_000,
  uploadMs: 10 * 60_000,
  silenceMs: 60_000,
  keepAliveMs: 30_000,
  checkMs: 2_000,
}

/** How a file comes. */
export const uploadType = 'application/octet-stream'

const headBytesMax = 16 * 1024
const requestsPerSocketMax = 1_000

/** What the HTTP server needs of the world. */
export interface AppPorts {
  guard: Guard
  logger: Logger
  metrics: Metrics
  bodyBytes: number
  timeouts: HttpTimeouts
  tls: { cert: Buffer; key: Buffer } | undefined
  /** A problem while the server goes down. */
  draining: () => Problem | undefined
}

/** The HTTP server before it listens, with what was seen of each request. */
export interface App {
  readonly app: FastifyInstance
  readonly server: Server
  /** Every method and path that is routed, as they are added. */
  readonly served: readonly string[]
  readonly visitOf: (request: FastifyRequest) => Visit | undefined
}

/**
 * Fastify with its defaults changed: time limits, our own JSON and errors, no other body, one reading of Host and target.
 * The guard runs before the framework sees a request.
 */
export function openFastify(ports: AppPorts): App {
  const { guard, metrics, timeouts } = ports
  const logger = ports.logger.area('http')
  const visits = new WeakMap<IncomingMessage, Visit>()
  const refused = (refusal: Problem): void => metrics.refusals.inc({ code: refusal.code })

  const options: ServerOptions = {
    maxHeaderSize: headBytesMax,
    headersTimeout: timeouts.headersMs,
    // Node has one time for all; what brings no file has a shorter one, below.
    requestTimeout: timeouts.uploadMs,
    connectionsCheckingInterval: timeouts.checkMs,
    // The guard says it with a problem.
    requireHostHeader: false,
    insecureHTTPParser: false,
    joinDuplicateHeaders: false,
  }
  const admit = (request: IncomingMessage, response: ServerResponse): Visit | undefined => {
    const visit = ports.draining() ?? guard.inspect(request)
    if (!('code' in visit)) return visit
    refused(visit)
    const origin = guard.elsewhere(request)
    refuseRequest(response, visit, origin === undefined ? {} : corsHeaders(origin))
    return undefined
  }
  const app = fastify({
    serverFactory: (handler) => {
      const listener = (request: IncomingMessage, response: ServerResponse): void => {
        const visit = admit(request, response)
        if (!visit) return
        visits.set(request, visit)
        handler(request, response)
      }
      const server = ports.tls
        ? createTlsServer({ ...options, ...ports.tls, minVersion: 'TLSv1.2' }, listener)
        : createServer(options, listener)
      server.setTimeout(timeouts.silenceMs)
      server.keepAliveTimeout = timeouts.keepAliveMs
      server.maxRequestsPerSocket = requestsPerSocketMax
      // The guard counts the headers; Node would leave out those beyond its limit without a word.
      server.maxHeadersCount = 0
      server.on('connect', (_request: IncomingMessage, socket: Socket) =>
        refuseSocket(socket, problem('not_found', 'This is not a proxy.')),
      )
      return server
    },
    bodyLimit: ports.bodyBytes,
    requestTimeout: timeouts.uploadMs,
    connectionTimeout: timeouts.silenceMs,
    clientErrorHandler: (error, socket) => refuseClient(error, socket, refused),
    // A parameter that is too long is refused by its schema, by the route that it is for.
    routerOptions: { maxParamLength: headBytesMax, ignoreTrailingSlash: false },
    trustProxy: false,
    logger: false,
    return503OnClosing: false,
    frameworkErrors: (_error, _request, reply) => {
      sendProblem(reply, problem('invalid_request', 'The path of the request cannot be read.'))
    },
  })

  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body: Buffer, done) => {
    if (body.length === 0) return done(null, undefined)
    const parsed = parseJsonBytes(body)
    if ('value' in parsed) return done(null, parsed.value)
    done(new RefusedBody(problem('invalid_json', parsed.detail)))
  })
  // A file is read by the route that takes it; the others refuse it before.
  app.addContentTypeParser(uploadType, (_request, body, done) => done(null, body))
  const served: string[] = []
  app.addHook('onRoute', ({ config, method, url }) => {
    if (config?.permission === undefined) {
      throw new Error(`${String(method)} ${url} does not declare a permission`)
    }
    for (const one of [method].flat()) served.push(`${one} ${url}`)
  })
  const everyAnswer = securityHeaders({ tls: ports.tls ? 'on' : 'off' })
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers(everyAnswer)
  })
  app.addHook('onRequest', async (request, reply) => {
    const origin = visits.get(request.raw)?.fromElsewhere
    if (origin === undefined) return
    reply.headers(corsHeaders(origin))
    if (request.method === 'OPTIONS') await reply.code(204).headers(preflightHeaders).send()
  })
  app.addHook('onRequest', async ({ raw, routeOptions }, reply) => {
    if (routeOptions.config.upload !== 'bytes') cutLateBody(raw, reply.raw, { ms: timeouts.requestMs, refused })
  })
  app.addHook('onSend', async (request, reply) => {
    if (request.url.startsWith('/api') && !reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
    // Nothing more is to be sent on this connection: it would meet a closed one.
    if (ports.draining()) reply.header('connection', 'close')
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    const { method } = request
    metrics.httpRequests.inc({ method, route, status: String(reply.statusCode) })
    metrics.httpSeconds.observe({ method, route }, reply.elapsedTime / 1_000)
    logger.debug('request', { method, route, status: reply.statusCode, durationMs: Math.round(reply.elapsedTime) })
  })
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const refusal = problemOf(error)
    // Whoever followed over HTTP has gone: that is how such an answer ends.
    if (error.code === 'ERR_STREAM_PREMATURE_CLOSE') return sendProblem(reply, refusal)
    refused(refusal)
    if (refusal.status >= 500) logger.error('request failed', { route: request.routeOptions.url ?? 'none', error })
    return sendProblem(reply, refusal)
  })

  return { app, server: app.server, served, visitOf: (request) => visits.get(request.raw) }
}

/** Sends a problem as the body of an answer. */
export function sendProblem(reply: FastifyReply, refusal: Problem): FastifyReply {
  return reply.code(refusal.status).headers(problemHeaders(refusal)).type(problemType).send(JSON.stringify(refusal))
}

/** Carries a refusal through the framework's error path. */
class RefusedBody extends Error {
  readonly refusal: Problem
  readonly statusCode: number
  constructor(refusal: Problem) {
    super(refusal.detail)
    this.refusal = refusal
    this.statusCode = refusal.status
  }
}

/** What an error of the framework or of ours means for the one who asked. The text of a fault stays in the log. */
function problemOf(error: FastifyError): Problem {
  if (error instanceof RefusedBody) return error.refusal
  if ('kind' in error && error.kind === 'unavailable') {
    const detail = 'The log cannot be read or written now. Try again in a moment.'
    return problem('storage_unavailable', detail, { retryAfterMs: 1_000 })
  }
  const damage = damageOf(error)
  if (damage) return damage
  const status = error.statusCode ?? 500
  if (status === 413) return problem('too_large', 'The body is over the limit.')
  if (status === 415) return problem('media_type', 'Send JSON with "Content-Type: application/json".')
  if (status >= 400 && status < 500) return problem('invalid_request', 'The request cannot be read.')
  return problem('internal', 'Something broke on our side; it is in the log of the server.')
}

/** Ends a request whose body is not there in time. */
function cutLateBody(
  request: IncomingMessage,
  response: ServerResponse,
  { ms, refused }: { ms: number; refused: (refusal: Problem) => void },
): void {
  const { headers } = request
  if (headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0') return
  const timer = setTimeout(() => {
    if (request.complete) return
    if (response.headersSent) return void request.socket.destroy()
    const refusal = lateRequest()
    refused(refusal)
    refuseSocket(request.socket, refusal)
  }, ms)
  const clear = (): void => clearTimeout(timer)
  request.once('end', clear)
  request.once('close', clear)
}

function lateRequest(): Problem {
  return { ...problem('invalid_request', 'The request did not come in time.'), status: 408 }
}

/** What the parser of HTTP itself refuses. Its answers have statuses of their own, which no code of ours stands for. */
function refuseClient(error: Error & { code?: string }, socket: Socket, refused: (refusal: Problem) => void): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const refusal = clientProblem(error.code ?? '')
  refused(refusal)
  refuseSocket(socket, refusal)
}

function clientProblem(code: string): Problem {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return { ...problem('too_large', `The head of a request may have ${headBytesMax} bytes.`), status: 431 }
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return problem('too_large', 'The chunk extensions are too large.')
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return lateRequest()
    case 'HPE_INVALID_METHOD':
      return problem('not_found', 'This method is not known.')
    default:
      return problem('invalid_request', 'This is not HTTP/1.1.')
  }
}
