import type { IncomingMessage } from 'node:http'
import { type Problem, problem } from '@hotline/protocol/error'
import type { Authenticator, Credential } from '../access/authenticator.ts'
import { type Principal, speakingThrough } from '../access/principal.ts'
import { readSessionCookie } from './cookies.ts'
import type { Guard, Visit } from './guard.ts'

/** A credential that a request carries, `none`, or why it is refused as it stands. */
type Carried = Credential | 'none' | Problem

/** What the first frame says: a ticket or a token, and the name of the program. */
export interface Greeting {
  token?: string
  ticket?: string
  client?: string
}

/** Turns what a request carries into a principal, for HTTP and for sockets. */
export interface Doors {
  /** Who sends this request, and through which door; undefined where it carries nothing. */
  ofRequest(
    request: IncomingMessage,
    visit: Visit,
  ): Promise<{ principal: Principal; door: Credential['door'] } | Problem | undefined>
  /** For the upgrade: a token in its Authorization header. A cookie alone never opens a socket. */
  fromHeader(request: IncomingMessage): Promise<Principal | Problem | undefined>
  /** For the first frame: a ticket or a token. */
  fromHello(hello: Greeting, request: IncomingMessage): Promise<Principal | Problem>
  /** Host, Origin and form of an upgrade. */
  guardUpgrade(request: IncomingMessage): Problem | undefined
}

/** The ways in over HTTP and WebSocket, each with the credentials that it takes. */
export function openDoors(ports: {
  authenticator: Authenticator
  guard: Guard
  /** A problem while the server goes down. */
  draining: () => Problem | undefined
}): Doors {
  const { authenticator, guard, draining } = ports
  return {
    ofRequest: async (request, visit) => {
      const carried = carriedBy(request, visit)
      if (carried === 'none') return undefined
      if ('code' in carried) return carried
      const principal = await authenticator.authenticate(carried, visit.address)
      if ('code' in principal) return principal
      return { principal: from(visit, principal, clientOf(request)), door: carried.door }
    },
    fromHeader: async (request) => {
      const visit = guard.inspectUpgrade(request)
      if ('code' in visit) return visit
      const carried = bearer(request.headers.authorization)
      if (carried === 'none' || 'code' in carried) return carried === 'none' ? undefined : carried
      const principal = await authenticator.authenticate(carried, visit.address)
      return 'code' in principal ? principal : from(visit, principal, clientOf(request))
    },
    fromHello: async (hello, request) => {
      const visit = guard.inspectUpgrade(request)
      if ('code' in visit) return visit
      const credential =
        hello.ticket === undefined
          ? ({ door: 'hello', token: hello.token ?? '' } as const)
          : ({ door: 'ticket', token: hello.ticket, origin: visit.sentOrigin } as const)
      const principal = await authenticator.authenticate(credential, visit.address)
      return 'code' in principal ? principal : from(visit, principal, hello.client)
    },
    guardUpgrade: (request) => {
      const visit = draining() ?? guard.inspectUpgrade(request)
      return 'code' in visit ? visit : undefined
    },
  }
}

/** The origin that a ticket is for: what the browser will say again when it opens the socket. */
export function originOf(visit: Visit): string | undefined {
  return visit.sentOrigin ?? (visit.site === 'same-origin' ? visit.origin : undefined)
}

/** The principal with where it comes from, and what its program says of itself. */
function from({ address }: Visit, principal: Principal, client: string | undefined): Principal {
  return { ...speakingThrough(principal, client), address }
}

/** A token in the header goes before a cookie: it does not come along by itself. */
function carriedBy(request: IncomingMessage, visit: Visit): Carried {
  const header = bearer(request.headers.authorization)
  if (header !== 'none') return header
  // Whoever is signed in in that browser has not asked for anything there.
  if (visit.fromElsewhere !== undefined) return 'none'
  const cookie = readSessionCookie(request.headers.cookie, visit)
  if (cookie === 'none') return 'none'
  if (cookie === 'strange') return problem('invalid_request', 'The Cookie header is not acceptable.')
  if (cookie === 'twice') {
    return problem('unauthenticated', 'Two different sessions came along. Remove the cookies of this server.')
  }
  return { door: 'cookie', token: cookie.token }
}

function bearer(header: string | undefined): Carried {
  if (header === undefined) return 'none'
  const token = /^Bearer +(\S+)$/i.exec(header)?.[1]
  if (token === undefined) return problem('unauthenticated', 'Use "Authorization: Bearer <token>".')
  return { door: 'header', token }
}

/** The name of the program, as it says it. The guard takes one such header and no more. */
function clientOf({ headers }: IncomingMessage): string | undefined {
  const client = headers['hotline-client']
  return typeof client === 'string' ? client : undefined
}
