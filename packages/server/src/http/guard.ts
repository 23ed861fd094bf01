import type { IncomingMessage } from 'node:http'
import { type Problem, problem } from '@hotline/protocol/error'
import { isLoopback } from '../config/read-config.ts'
import { networkOf } from '../machine/network-of.ts'
import { type AddressReader, isForwarded } from './addresses.ts'
import { readMarkCookie } from './cookies.ts'
import type { HostTable } from './hosts.ts'

/** What is known of a request before anything of it is used. */
export interface Visit {
  /** Address of the client, as far as it can be believed. */
  address: string
  /** The address, or the /64 of an IPv6 address. */
  network: string
  /** From this machine, by a loopback name, and through no proxy. */
  local: boolean
  /** Over TLS, here or at a trusted proxy. */
  secure: boolean
  /** The origin that a page of this server has under the name that was used. */
  origin: string
  /** The origin that the browser said. */
  sentOrigin: string | undefined
  /** That origin, where it is one of those that may use the API from elsewhere: with a token alone, its cookies count for nothing. */
  fromElsewhere: string | undefined
  /** `Sec-Fetch-Site`, as the browser said it. */
  site: string | undefined
  /** `User-Agent`, as it came. */
  userAgent: string | undefined
  /** By which a browser is known in which somebody has signed in before; see `known-browser.ts`. */
  mark: string | undefined
}

/** The first look at a request: host, origin, form. */
export interface Guard {
  /** Looks at the head of a request, before routing. */
  inspect(request: IncomingMessage): Visit | Problem
  /** The same for an upgrade to WebSocket, with its Origin and form. */
  inspectUpgrade(request: IncomingMessage): Visit | Problem
  /** The origin of a request, where pages of it may use the API; they may also read why it is refused. */
  elsewhere(request: IncomingMessage): string | undefined
}

/** Headers of one request; more are refused. */
export const headersMax = 100
/** Headers that mean one thing: a second one is an attempt to be read differently by somebody else. */
const singleHeaders = new Set([
  'host',
  'authorization',
  'content-type',
  'content-encoding',
  'origin',
  'sec-fetch-site',
  'idempotency-key',
  'hotline-client',
  'last-event-id',
  'sec-websocket-key',
  'sec-websocket-version',
])

/** Refuses what no browser and no client of ours sends. The names are asked for each time: the port is known late. */
export function openGuard(ports: {
  hosts: () => HostTable
  addresses: AddressReader
  corsOrigins: readonly string[]
}): Guard {
  const allowed = new Set(ports.corsOrigins)
  const elsewhere = ({ headers: { origin } }: IncomingMessage): string | undefined =>
    allowed.has(origin ?? '') ? origin : undefined
  const inspect = (request: IncomingMessage): Visit | Problem => {
    const form = checkForm(request)
    if (form) return form
    const host = request.headers.host ?? ''
    const entry = ports.hosts().get(host)
    if (!entry) return misdirected('It is not one of the names of this server.')
    const { address, proxied } = ports.addresses.read(request)
    const encrypted = 'encrypted' in request.socket && request.socket.encrypted === true
    const overProxy = proxied && request.headers['x-forwarded-proto'] === 'https'
    if (entry.secure && !encrypted && !overProxy) return misdirected('Under this name only https is spoken.')
    if (!entry.secure) {
      if (proxied || (isForwarded(request) && ports.addresses.isProxy(request.socket.remoteAddress ?? ''))) {
        return misdirected('The proxy must pass on the Host header that the browser sent.')
      }
      if (!isLoopback(address)) return misdirected('Under this name the server answers only on its own machine.')
    }
    const { origin } = request.headers
    return {
      address,
      network: networkOf(address),
      local: !proxied && isLoopback(address) && isLoopbackName(host),
      secure: entry.secure,
      origin: entry.origin,
      sentOrigin: request.headers.origin,
      fromElsewhere: origin === entry.origin ? undefined : elsewhere(request),
      site: single(request.headers['sec-fetch-site']),
      userAgent: request.headers['user-agent'],
      mark: readMarkCookie(request.headers.cookie, entry.secure),
    }
  }
  return {
    inspect,
    elsewhere,
    inspectUpgrade: (request) => {
      if (request.httpVersion !== '1.1' || request.method !== 'GET') {
        return problem('invalid_request', 'A WebSocket begins with GET over HTTP/1.1.')
      }
      if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
        return problem('invalid_request', 'The only protocol to upgrade to is websocket.')
      }
      const handshake = checkHandshake(request)
      if (handshake) return handshake
      const visit = inspect(request)
      return 'code' in visit ? visit : (checkOrigin(visit) ?? visit)
    },
  }
}

/** Refuses another origin than the own one, where the browser says which it is. */
export function checkOrigin(visit: Visit): Problem | undefined {
  if (visit.fromElsewhere !== undefined) return undefined
  if (visit.sentOrigin !== undefined && visit.sentOrigin !== visit.origin) return originRefused()
  if (visit.site === 'cross-site' || visit.site === 'same-site') return originRefused()
  return undefined
}

/** A cookie comes along by itself, so a request that changes something must show that a page of ours has sent it. */
export function checkCookieUse(visit: Visit, method: string): Problem | undefined {
  if (method === 'GET' || method === 'HEAD') return undefined
  if (visit.sentOrigin === visit.origin) return undefined
  if (visit.sentOrigin === undefined && visit.site === 'same-origin') return undefined
  return originRefused()
}

function checkHandshake({ headers }: IncomingMessage): Problem | undefined {
  if (headers['sec-websocket-version'] !== '13') {
    return problem('version_not_spoken', 'Only version 13 of the WebSocket protocol is spoken.')
  }
  const isKey = /^[A-Za-z0-9+/]{22}==$/.test(headers['sec-websocket-key'] ?? '')
  return isKey ? undefined : problem('invalid_request', 'The Sec-WebSocket-Key is not 16 bytes in base64.')
}

/** The refusal of whoever sends from the page of another server. */
export function originRefused(): Problem {
  return problem('origin_refused', 'Only pages of this server may send this. Other programs use a token.')
}

function checkForm(request: IncomingMessage): Problem | undefined {
  const { rawHeaders } = request
  if (rawHeaders.length > headersMax * 2) {
    return { ...problem('too_large', `More than ${headersMax} headers.`), status: 431 }
  }
  const seen = new Set<string>()
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase() ?? ''
    if (singleHeaders.has(name) && seen.has(name))
      return problem('invalid_request', `The header "${name}" is there twice.`)
    seen.add(name)
  }
  if (!seen.has('host')) return problem('invalid_request', 'The Host header is missing.')
  return isPlainTarget(request.url ?? '')
    ? undefined
    : problem('invalid_request', 'The target of the request is not a plain path.')
}

/** A path that has one reading: no other authority, nothing encoded that means a separator or a way up. */
function isPlainTarget(target: string): boolean {
  const path = target.split('?', 1)[0] ?? ''
  if (!path.startsWith('/') || path.startsWith('//') || path.includes('\\') || path.includes('#')) return false
  if (/%(2f|5c|2e|00)/i.test(path)) return false
  let decoded: string
  try {
    decoded = decodeURIComponent(path)
  } catch {
    return false
  }
  return !/[\u0000-\u001f\u007f]/.test(decoded) && !decoded.split('/').some((part) => part === '.' || part === '..')
}

function misdirected(detail: string): Problem {
  return problem('host_refused', `${detail} Check the address in the browser, or HOTLINE_PUBLIC_URL on the server.`)
}

function isLoopbackName(host: string): boolean {
  return /^(localhost|127\.[0-9.]+|\[::1\])(:|$)/.test(host)
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(',') : value
}
