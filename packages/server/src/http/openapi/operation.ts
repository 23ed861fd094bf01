import { type ErrorCode, errorKinds, kindOf } from '@hotline/protocol/error'
import type { z } from 'zod'
import { messagePackType } from '../message-pack.ts'
import { refusalsOf } from '../refusals.ts'
import { type DeclaredRoute, Nothing } from '../route.ts'
import type { Json } from './json-schemas.ts'

/** The schemas of one route, as JSON Schema; absent where it declares none. */
export interface RouteSchemas {
  params: Json | undefined
  query: Json | undefined
  /** The query as it is read: numbers are numbers. */
  readQuery: Json | undefined
  body: Json | undefined
  answer: Json | undefined
}

const problemSchema = { $ref: '#/components/schemas/Problem' }

/** A route as an operation of OpenAPI. `bodyBytes`: of a body where the route says nothing else. */
export function operationOf(route: DeclaredRoute, schemas: RouteSchemas, bodyBytes: number): Json {
  const { summary, permission, proof } = route
  return {
    operationId: operationId(route),
    summary,
    description: descriptionOf(route),
    tags: [tagOf(route.url)],
    security: securityOf(route),
    'x-hotline-permission': permission,
    ...(proof === undefined ? {} : { 'x-hotline-proof': proof }),
    ...parametersOf(route, schemas),
    ...(schemas.body && { requestBody: bodyOf(route, schemas.body, bodyBytes) }),
    ...(route.upload && { requestBody: fileOf(route) }),
    responses: responsesOf(route, schemas.answer),
  }
}

/** `GET /api/sessions/:id/events` is `getSessionsIdEvents`. */
export function operationId({ method, url }: Pick<DeclaredRoute, 'method' | 'url'>): string {
  const words = url.replace(/^\/api\//, '/').split(/[^A-Za-z0-9]+/)
  return `${method.toLowerCase()}${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')}`
}

/** What a part of the path is about. */
const tags: readonly [RegExp, string][] = [
  [/^\/api\/auth\/device/, 'Sign-in of programs'],
  [/^\/api\/auth\/(invitation|password-reset)|^\/api\/(invitations|accounts|people|me)/, 'Accounts'],
  [/^\/api\/auth/, 'Sign-in'],
  [/^\/api\/keys/, 'Keys'],
  [/^\/api\/commands/, 'Commands'],
  [/^\/api\/(follow|sessions\/:id\/stream)/, 'Following'],
  [/^\/api\/(sessions|unread)/, 'Sessions'],
  [/^\/api\/(asks|snoozes|approvals)/, 'Asks'],
  [/^\/api\/(tasks|projects\/:id\/tasks)/, 'Cards'],
  [/^\/api\/agent(\/|$)/, 'Task API'],
  [/^\/api\/(runner|runners|agents)(\/|$)/, 'Machines and agents'],
  [/^\/api\/audit/, 'Audit'],
  [/^\/api\/(policy|projects\/:id\/(policy|trusted))/, 'Rules and trust'],
]

/** The group of resources that a route belongs to. */
export function tagOf(url: string): string {
  return tags.find(([pattern]) => pattern.test(url))?.[1] ?? 'Server'
}

const permissionTexts: Record<DeclaredRoute['permission'], string> = {
  open: 'Needs no credential.',
  'signed-in': 'Needs any credential; what of it may be seen follows from the role in the project.',
  'account-admin': 'Needs an admin of this server.',
  runner: 'Needs the key of a runner.',
  read: 'Needs a credential with the scope `read`.',
  write: 'Needs a credential with the scope `write`.',
  decide: 'Needs a credential with the scope `decide`.',
  decide_high: 'Needs a credential with the scope `decide_high`.',
  admin: 'Needs a credential with the scope `admin`.',
  own: 'Needs a credential with the scope `own`.',
}

function descriptionOf({ permission, proof, once, revalidate, resume, streams }: DeclaredRoute): string {
  const sentences = [
    permissionTexts[permission],
    proof && 'The password was said within the last five minutes (`POST /api/auth/confirm`).',
    once && 'The same `Idempotency-Key` again gives the same outcome and makes nothing twice.',
    revalidate && 'Shown its `ETag` in `If-None-Match`, it answers 304 while nothing changed.',
    resume && 'With `Last-Event-ID` it goes on after that event.',
    streams?.some((type) => type.startsWith('text/event-stream')) &&
      'A stream ends after 50 seconds; whoever listens comes back with the last cursor.',
  ]
  return sentences.filter(Boolean).join(' ')
}

function securityOf({ permission }: DeclaredRoute): Json[] {
  if (permission === 'open') return []
  const isScope = permission !== 'signed-in' && permission !== 'account-admin' && permission !== 'runner'
  const roles = isScope ? [permission] : []
  return permission === 'runner' ? [{ token: roles }] : [{ token: roles }, { cookie: [] }, { localCookie: [] }]
}

function parametersOf({ once, resume, revalidate }: DeclaredRoute, schemas: RouteSchemas): Json {
  const headers = [
    ...(once === undefined ? [] : ['IdempotencyKey']),
    ...(resume === undefined ? [] : ['LastEventId']),
    ...(revalidate === undefined ? [] : ['IfNoneMatch']),
  ]
  const parameters = [
    ...membersOf(schemas.params).map(({ name, schema }) => ({ name, in: 'path', required: true, schema })),
    ...membersOf(schemas.query).map(({ name, schema, required }) => ({
      name,
      in: 'query',
      ...(required ? { required } : {}),
      schema: readAs(schema, membersOf(schemas.readQuery).find((read) => read.name === name)?.schema),
    })),
    ...headers.map((name) => ({ $ref: `#/components/parameters/${name}` })),
  ]
  return parameters.length === 0 ? {} : { parameters }
}

/** Digits that are read as a number are a number of the document, and never a negative one. */
function readAs(written: Json, read: Json | undefined): Json {
  if (read?.['type'] !== 'integer') return written
  return { ...read, minimum: Math.max(0, Number(read['minimum'] ?? 0)) }
}

function membersOf(schema: Json | undefined): { name: string; schema: Json; required: boolean }[] {
  const { properties = {}, required = [] } = (schema ?? {}) as {
    properties?: Record<string, Json>
    required?: readonly string[]
  }
  return Object.entries(properties).map(([name, one]) => ({ name, schema: one, required: required.includes(name) }))
}

function bodyOf({ example, bodyBytes: own }: DeclaredRoute, schema: Json, bodyBytes: number): Json {
  return {
    description: `At most ${own ?? bodyBytes} bytes of JSON in UTF-8, not compressed.`,
    required: true,
    content: { 'application/json': { schema, ...(example === undefined ? {} : { example }) } },
  }
}

function fileOf({ bodyBytes }: DeclaredRoute): Json {
  return {
    description: `A file of at most ${bodyBytes} bytes, as it is, not compressed.`,
    required: true,
    content: { 'application/octet-stream': { schema: {} } },
  }
}

function responsesOf(route: DeclaredRoute, answer: Json | undefined): Json {
  const { status = 200, revalidate, streams = [] } = route
  const isEmpty = route.answer === Nothing
  const types: [string, Json][] = [
    ...(isEmpty ? [] : ['application/json', ...(route.method === 'GET' ? [messagePackType] : [])]).map(
      (type): [string, Json] => [type, { schema: answer ?? {} }],
    ),
    ...streams.map((type): [string, Json] => [
      type.split(';', 1)[0] ?? type,
      { schema: { type: isJson(type) ? 'object' : 'string' } },
    ]),
  ]
  const hasContent = types.length > 0
  return {
    ...(hasContent
      ? {
          [status]: {
            description: 'As asked.',
            ...(revalidate === undefined ? {} : { headers: { ETag: { $ref: '#/components/headers/ETag' } } }),
            content: Object.fromEntries(types),
          },
        }
      : { 204: { description: 'Done; there is nothing to tell.' } }),
    ...(revalidate === undefined ? {} : { 304: { description: 'What was shown in If-None-Match is still true.' } }),
    ...refusalsByStatus(route),
  }
}

function refusalsByStatus(route: DeclaredRoute): Json {
  const codes = [...refusalsOf(route)]
  const statuses = new Map<number, ErrorCode[]>()
  for (const code of codes) {
    const { status } = errorKinds[kindOf(code)]
    statuses.set(status, [...(statuses.get(status) ?? []), code])
  }
  const own = route.envelope === 'success' ? { success: { const: false } } : {}
  const required = Object.keys(own)
  return Object.fromEntries(
    [...statuses]
      .toSorted(([a], [b]) => a - b)
      .map(([status, found]) => [
        status,
        {
          description: `Refused: ${found.map((code) => `\`${code}\``).join(', ')}.`,
          headers: headersOf(status),
          content: {
            'application/problem+json': {
              schema: {
                allOf: [problemSchema],
                properties: { ...own, status: { const: status }, code: { enum: found } },
                ...(required.length === 0 ? {} : { required }),
              },
            },
          },
        },
      ]),
  )
}

function headersOf(status: number): Json {
  if (status === 401) return { 'WWW-Authenticate': { $ref: '#/components/headers/WwwAuthenticate' } }
  if (status === 429 || status === 503) return { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } }
  return {}
}

/** What a route declares, for the conversion of all at once. A body that is left to the handler has its shape. */
export function declaredSchemas(
  route: DeclaredRoute,
): Record<'params' | 'query' | 'body' | 'answer', z.ZodType | undefined> {
  const { params, query, body, bodyShape, answer } = route
  return { params, query, body: bodyShape ?? body, answer: answer === Nothing ? undefined : answer }
}

/** A document that is written piece by piece, and one object when it is whole. */
function isJson(type: string): boolean {
  return type.startsWith('application/json')
}
