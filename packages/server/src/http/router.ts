import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { type Problem, problem } from '@hotline/protocol/error'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import type { Principal } from '../access/principal.ts'
import type { Proofs } from '../access/proofs.ts'
import type { Doors } from './doors.ts'
import { messagePackType, writeMessagePack } from './message-pack.ts'
import { checkCookieUse, checkOrigin, originRefused, type Visit } from './guard.ts'
import { problemHeaders, problemType } from './problem-response.ts'
import type { RequestLimits } from './request-limits.ts'
import { uploadType } from './fastify-app.ts'
import { type Part, readBody, readIdempotencyKey, readLastEventId, readPart, readQuery } from './request-parts.ts'
import type { AsyncUpload, DeclaredRoute, RegisterRoute, Route, RouteAnswer, RoutePermission } from './route.ts'

const permissions: readonly RoutePermission[] = [
  'open',
  'signed-in',
  'account-admin',
  'runner',
  'read',
  'write',
  'decide',
  'decide_high',
  'admin',
  'own',
]

/** What routes need of the world. */
export interface RouterPorts {
  app: FastifyInstance
  doors: Doors
  limits: RequestLimits
  proofs: Proofs
  /** What the guard found; every request of a real socket has passed it. */
  visitOf: (request: FastifyRequest) => Visit | undefined
  /** Aborted when the server goes down. */
  closing: AbortSignal
  /** Told of every refusal, for the metrics. */
  refused: (refusal: Problem) => void
}

/** Where routes are declared, and which were. */
export interface Router {
  readonly route: RegisterRoute
  readonly declared: readonly DeclaredRoute[]
}

type AnyRoute = Route<RoutePermission, z.ZodType, z.ZodType, z.ZodType, z.ZodType>

/** What is decided before the body is read. */
interface Admitted {
  visit: Visit
  principal: Principal | undefined
}

/**
 * Routes by declaration. In this order, and before the body is read: where it comes from, how many came from there, the
 * origin, who it is, how many came from them, the permission. Then body, query and parameters by their strict schemas.
 */
export function openRouter(ports: RouterPorts): Router {
  const { app } = ports
  const declared: DeclaredRoute[] = []
  const admitted = new WeakMap<FastifyRequest, Admitted>()

  const refuse = (reply: FastifyReply, refusal: Problem, { envelope }: AnyRoute): FastifyReply => {
    ports.refused(refusal)
    const body = envelope === 'success' ? { success: false, ...refusal } : refusal
    return reply.code(refusal.status).headers(problemHeaders(refusal)).type(problemType).send(JSON.stringify(body))
  }

  const route = (given: AnyRoute): void => {
    const { handle: _handle, ...declaration } = given
    const { method, url, permission } = declaration
    if (!permissions.includes(permission)) throw new Error(`${method} ${url} does not declare a known permission`)
    if (!declaration.summary || !declaration.answer)
      throw new Error(`${method} ${url} does not declare what it answers`)
    declared.push(declaration)
    app.route({
      method,
      url,
      config: { permission, upload: given.upload },
      ...(given.bodyBytes === undefined ? {} : { bodyLimit: given.bodyBytes }),
      onRequest: async (request, reply) => {
        const outcome = await admit(ports, request, given)
        if ('problem' in outcome) return refuse(reply, outcome.problem, given)
        admitted.set(request, outcome)
      },
      handler: async (request, reply) => {
        const known = admitted.get(request)
        if (!known) throw new Error('a handler ran before its request was admitted')
        const answer = await handle(ports, given, request, reply, known)
        if ('problem' in answer) return refuse(reply, answer.problem, given)
        if ('stream' in answer) {
          if (answer.tag !== undefined) {
            reply.header('etag', answer.tag)
            if (matches(request.headers['if-none-match'], answer.tag)) {
              answer.stream.destroy()
              return reply
                .headers(answer.headers ?? {})
                .removeHeader('content-length')
                .code(304)
                .send()
            }
          }
          return reply
            .headers(answer.headers ?? {})
            .type(answer.contentType)
            .send(answer.stream)
        }
        if (answer.setCookie !== undefined) reply.header('set-cookie', answer.setCookie)
        if (answer.value === undefined) return reply.code(204).send()
        const text = JSON.stringify(answer.value)
        const form = method === 'GET' ? wantedForm(request.headers.accept) : 'json'
        if (method === 'GET')
          reply.header('vary', known.visit.fromElsewhere === undefined ? 'Accept' : 'Accept, Origin')
        if (given.revalidate === 'etag') {
          const tag = `"${createHash('sha256').update(form).update(text).digest('base64url').slice(0, 27)}"`
          reply.header('etag', tag)
          if (matches(request.headers['if-none-match'], tag)) return reply.code(304).send()
        }
        if (form === 'messagepack') {
          return reply.type(messagePackType).send(Buffer.from(writeMessagePack(JSON.parse(text))))
        }
        return reply
          .code(given.status ?? 200)
          .type('application/json; charset=utf-8')
          .send(text)
      },
    })
  }
  return { route, declared }
}

async function admit(
  ports: RouterPorts,
  request: FastifyRequest,
  { permission, proof, upload }: AnyRoute,
): Promise<Admitted | { problem: Problem }> {
  const visit = ports.visitOf(request)
  if (!visit) throw new Error('a request came around the guard')
  const refusal = (await ports.limits.fromNetwork(visit.network)) ?? checkOrigin(visit) ?? checkBody(request, upload)
  if (refusal) return { problem: refusal }
  const found = await ports.doors.ofRequest(request.raw, visit)
  if (visit.fromElsewhere !== undefined && permission === 'open' && request.method !== 'GET') {
    // Nobody signs in there: what sets a cookie is for pages of this server.
    return { problem: originRefused() }
  }
  if (permission === 'open') {
    // Nobody has to be known here; an old cookie that comes along is looked at, and may be wrong.
    return { visit, principal: found && !('code' in found) ? found.principal : undefined }
  }
  const missing = 'Sign in, or send a token in the Authorization header.'
  if (!found) return { problem: problem('unauthenticated', missing) }
  if ('code' in found) return { problem: found }
  const { principal, door } = found
  const wrong =
    (door === 'cookie' ? checkCookieUse(visit, request.method) : undefined) ??
    (await ports.limits.ofPrincipal(principal)) ??
    checkPermission(principal, permission) ??
    (proof === 'password' ? ports.proofs.missing(principal) : undefined)
  return wrong ? { problem: wrong } : { visit, principal }
}

function checkPermission(principal: Principal, permission: RoutePermission): Problem | undefined {
  switch (permission) {
    case 'open':
    case 'signed-in':
      return undefined
    case 'account-admin':
      return principal.admin ? undefined : problem('forbidden', 'Only an admin of this server may do this.')
    case 'runner':
      return principal.kind === 'runner' ? undefined : problem('forbidden', 'Only a runner may do this.')
    case 'read':
    case 'write':
    case 'decide':
    case 'decide_high':
    case 'admin':
    case 'own':
      if (principal.scopes.includes(permission)) return undefined
      return problem('forbidden', `This credential does not have the scope "${permission}".`)
  }
}

/** What is read comes as JSON, unless MessagePack is asked for by its name. Refusals are problems in JSON for everybody. */
function wantedForm(accept: string | undefined): 'json' | 'messagepack' {
  const wanted = (accept ?? '').split(',').map((one) => one.trim().toLowerCase())
  return wanted.includes(messagePackType) ? 'messagepack' : 'json'
}

const jsonType = /^application\/json[ \t]*(;[ \t]*charset="?utf-8"?[ \t]*)?$/i

/** JSON is the only body that is read, as it is: not compressed, in UTF-8. A file is one only where the route takes files. */
function checkBody(request: FastifyRequest, upload: AnyRoute['upload']): Problem | undefined {
  const { headers } = request
  const length = headers['content-length']
  const transfer = headers['transfer-encoding']
  if (transfer === undefined && (length === undefined || length === '0')) return undefined
  if (headers['content-encoding'] !== undefined || (transfer !== undefined && transfer.toLowerCase() !== 'chunked'))
    return problem('media_type', 'Send the body as it is, not compressed.')
  const type = headers['content-type'] ?? ''
  if (upload === 'bytes') {
    if (type.toLowerCase() === uploadType) return undefined
    return problem('media_type', `Send the file as it is, with "Content-Type: ${uploadType}".`)
  }
  if (jsonType.test(type)) return undefined
  return problem('media_type', 'Send JSON with "Content-Type: application/json".')
}

async function handle(
  ports: RouterPorts,
  given: AnyRoute,
  request: FastifyRequest,
  reply: FastifyReply,
  { visit, principal }: Admitted,
): Promise<RouteAnswer> {
  const params: Part = given.params ? readPart(request.params, given.params, 'path') : { value: undefined }
  if ('problem' in params) return params
  const query = readQuery(request.raw.url ?? '', given.query)
  if ('problem' in query) return query
  const isFile = given.upload === 'bytes' && request.body instanceof Readable
  const body = isFile ? { value: undefined } : readBody(request.body, given.body)
  if ('problem' in body) return body
  const once = given.once === undefined ? { value: undefined } : readIdempotencyKey(request.headers)
  if ('problem' in once) return once
  const resume = given.resume === undefined ? { value: undefined } : readLastEventId(request.headers)
  if ('problem' in resume) return resume
  return given.handle({
    // The permission of the route has decided whether there must be somebody.
    principal,
    body: body.value,
    query: query.value,
    params: params.value,
    upload: isFile ? uploadOf(request.body as Readable) : undefined,
    idempotencyKey: once.value,
    lastEventId: resume.value,
    visit,
    // Made where it is asked for: few routes do, and it costs more than all else here.
    get signal() {
      return goneSignal(reply, ports.closing)
    },
  })
}

/** Whoever stops reading leaves the connection as it is: the refusal goes through it. */
function uploadOf(body: Readable): AsyncUpload {
  return {
    get destroyed() {
      return body.destroyed
    },
    [Symbol.asyncIterator]: () => body.iterator({ destroyOnReturn: false }),
  }
}

/** Aborted when the client goes away before the answer is complete, or the server goes down. */
function goneSignal(reply: FastifyReply, closing: AbortSignal): AbortSignal {
  const gone = new AbortController()
  const abort = (): void => gone.abort()
  if (closing.aborted || reply.raw.destroyed) abort()
  closing.addEventListener('abort', abort)
  reply.raw.once('close', () => {
    closing.removeEventListener('abort', abort)
    // Where the answer is complete there is nobody to tell; an abort makes an error with its stack, which is dear.
    if (!reply.raw.writableFinished) abort()
  })
  return gone.signal
}

function matches(header: string | undefined, tag: string): boolean {
  return header !== undefined && header.split(',').some((part) => part.trim().replace(/^W\//, '') === tag)
}
