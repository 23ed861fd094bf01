import { Problem } from '@hotline/protocol/problem'
import { limits } from '@hotline/protocol/limits'
import { Id, CursorText } from '@hotline/protocol/ids'
import { protocolVersion } from '@hotline/protocol/version'
import type { z } from 'zod'
import { options } from '../../config/options.ts'
import type { DeclaredRoute } from '../route.ts'
import { type Json, jsonSchemas } from './json-schemas.ts'
import { declaredSchemas, operationId, operationOf, tagOf } from './operation.ts'

/**
 * The OpenAPI 3.1 document of these routes. It follows from their declarations alone: every server of this version has
 * the same one, byte for byte, and nothing of its settings or its data is in it.
 */
export function openApiDocument(routes: readonly DeclaredRoute[]): Json & { openapi: '3.1.0' } {
  const schemas: Record<string, z.ZodType> = { Problem, Id, CursorText }
  const queries: Record<string, z.ZodType> = {}
  for (const route of routes) {
    for (const [part, schema] of Object.entries(declaredSchemas(route))) {
      if (schema) schemas[`${operationId(route)} ${part}`] = schema
    }
    if (route.query) queries[operationId(route)] = route.query
  }
  const sent = jsonSchemas(schemas, 'input')
  const read = jsonSchemas(queries, 'output')

  const paths: Record<string, Json> = {}
  for (const route of routes) {
    const of = (part: string): Json | undefined => sent.byKey[`${operationId(route)} ${part}`]
    const path = route.url.replaceAll(/:(\w+)/g, '{$1}')
    const operation = operationOf(
      route,
      {
        params: of('params'),
        query: of('query'),
        readQuery: read.byKey[operationId(route)],
        body: of('body'),
        answer: of('answer'),
      },
      options.bodyBytes.default,
    )
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation }
  }
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: {
      title: 'Hotline',
      version: String(protocolVersion),
      summary: 'The direct line between people and their running AI agents',
      description: introduction,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'The server that serves this document' }],
    tags: [...new Set(routes.map(({ url }) => tagOf(url)))].map((name) => ({ name })),
    'x-hotline-limits': usage,
    paths,
    components: { ...components, schemas: sent.named },
  }
}

/** What a fresh server allows; whoever runs it can say otherwise with the setting. */
const usage = {
  bodyBytes: { default: options.bodyBytes.default, setting: options.bodyBytes.env },
  requestsPerCredential: {
    default: options.requestsPerPrincipal.default,
    seconds: 10,
    setting: options.requestsPerPrincipal.env,
  },
  requestsPerNetwork: {
    default: options.requestsPerNetwork.default,
    seconds: 10,
    setting: options.requestsPerNetwork.env,
  },
  pageEvents: limits.pageEvents,
  pageBytes: limits.pageBytes,
  waitSeconds: limits.waitSeconds,
  jsonDepth: limits.jsonDepth,
} as const

const introduction = `Sessions of AI agents, what they ask, and what people answer. Everything is JSON, with whole numbers of at most 2^53 − 1.

**Who asks.** A key in \`Authorization: Bearer …\` (\`hotline keys make\`, or \`POST /api/keys\`), or the cookie of a browser that signed in. Each operation says what it needs; what of another project is asked for is 404, as what is nowhere.

**Refusals** are \`application/problem+json\` (RFC 9457): \`code\` says exactly what was wrong, \`detail\` what to do. Each operation lists its codes.

**Once.** A command has an \`id\` that its sender makes: the same one again gives the first answer. Other operations that make something take \`Idempotency-Key\`.

**Pages** end with \`next\`, which is the place to go on from; a cursor is \`<epoch>.<seq>\`, and one of another epoch is 410 \`cursor_gone\`.

**Limits** of a fresh server: ${usage.requestsPerCredential.default} requests in 10 seconds by credential and ${usage.requestsPerNetwork.default} by network, then 429 with \`Retry-After\`; ${usage.bodyBytes.default} bytes of body; pages of at most ${usage.pageEvents} rows; JSON at most ${usage.jsonDepth} levels deep. A request that waits for news waits at most ${usage.waitSeconds} seconds.

**MessagePack.** What is read with GET comes as \`application/msgpack\` to whoever accepts that by name.`

const components = {
  securitySchemes: {
    token: {
      type: 'http',
      scheme: 'bearer',
      description: 'A personal token, the key of a service or of a runner, or the signed token of a service.',
    },
    cookie: { type: 'apiKey', in: 'cookie', name: '__Host-hotline', description: 'Of a browser, over https.' },
    localCookie: {
      type: 'apiKey',
      in: 'cookie',
      name: 'hotline-local',
      description: 'Of a browser on the same machine.',
    },
  },
  parameters: {
    IdempotencyKey: {
      name: 'Idempotency-Key',
      in: 'header',
      description: 'Made by the sender. The same one again, from the same sender, makes nothing twice.',
      schema: { $ref: '#/components/schemas/Id' },
    },
    LastEventId: {
      name: 'Last-Event-ID',
      in: 'header',
      description: 'The cursor of the last event that was heard, as a browser says it by itself.',
      schema: { $ref: '#/components/schemas/CursorText' },
    },
    IfNoneMatch: {
      name: 'If-None-Match',
      in: 'header',
      description: 'The `ETag` of an earlier answer.',
      schema: { type: 'string' },
    },
  },
  headers: {
    ETag: { description: 'Another one when the answer is another.', schema: { type: 'string' } },
    RetryAfter: { description: 'Seconds after which to try again.', schema: { type: 'string', pattern: '^[0-9]+$' } },
    WwwAuthenticate: { description: 'How to say who asks.', schema: { type: 'string' } },
  },
} as const
