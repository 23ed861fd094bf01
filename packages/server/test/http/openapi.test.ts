import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandTypes } from '@hotline/protocol/command'
import { openApiDocument } from '../../src/http/openapi/document.ts'
import { Nothing } from '../../src/http/route.ts'
import { type HttpStack, openHttpStack } from './http-stack.ts'

let stack: HttpStack
let text: string
// oxlint-disable-next-line typescript/no-explicit-any -- a document of any form
let document: any
beforeAll(async () => {
  stack = await openHttpStack()
  const answer = await stack.send({ target: '/api/openapi.json' })
  expect(answer.status).toBe(200)
  text = answer.body.toString('utf8')
  document = JSON.parse(text)
})
afterAll(() => stack[Symbol.asyncDispose]())

/** Every object in the document, with the path to it. */
function* objectsIn(value: unknown, path = ''): Generator<[string, Record<string, unknown>]> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield [path, value as Record<string, unknown>]
  for (const [name, member] of Object.entries(value)) yield* objectsIn(member, `${path}/${name}`)
}

describe('the OpenAPI document', () => {
  it('[OA1] is OpenAPI 3.1 by the schema of that format, and every reference in it leads somewhere', async () => {
    const validator = new Validator()
    const { valid, errors } = await validator.validate(structuredClone(document))
    expect([errors, valid]).toEqual([undefined, true])
    const broken = await new Validator().validate({
      ...structuredClone(document),
      paths: { '/x': { get: { tags: 1 } } },
    })
    expect(broken.valid).toBe(false)
    for (const [path, { $ref }] of objectsIn(document)) {
      if (typeof $ref !== 'string') continue
      const target = $ref
        .slice(2)
        .split('/')
        .reduce((at, name) => at?.[name], document)
      expect(target, `${path}: ${$ref}`).toBeTypeOf('object')
    }
  })

  it('[OA2] has every route of the server once, with its permission, what it answers and how it refuses', () => {
    const listed = Object.entries<Record<string, Record<string, unknown>>>(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => [
        method.toUpperCase(),
        path,
        operation['x-hotline-permission'],
      ]),
    )
    const declared = stack.http.declared.map(({ method, url, permission }) => [
      method,
      url.replaceAll(/:(\w+)/g, '{$1}'),
      permission,
    ])
    expect(new Set(listed.map(String))).toEqual(new Set(declared.map(String)))
    expect(listed).toHaveLength(declared.length)
    const ids = new Set<unknown>()
    for (const { method, url, permission, answer, streams } of stack.http.declared) {
      const operation = document.paths[url.replaceAll(/:(\w+)/g, '{$1}')][method.toLowerCase()]
      ids.add(operation.operationId)
      const statuses = Object.keys(operation.responses).map(Number)
      const good = statuses.filter((status) => status < 300)
      expect([url, good.length]).toEqual([url, 1])
      expect([url, good[0] === 204]).toEqual([url, answer === Nothing && streams === undefined])
      expect(statuses).toEqual(expect.arrayContaining([400, 403, 421, 429, 500, 503]))
      if (permission !== 'open') expect([url, statuses.includes(401)]).toEqual([url, true])
      expect([url, operation.security.length > 0]).toEqual([url, permission !== 'open'])
      const names = [...url.matchAll(/:(\w+)/g)].map((match) => match[1])
      const parameters: { name: string; in: string }[] = operation.parameters ?? []
      expect(parameters.filter((one) => one.in === 'path').map(({ name }) => name)).toEqual(names)
    }
    expect(ids.size).toBe(declared.length)
  })

  it('[OA3] says what follows from the declarations: keys that make once, tags, limits, every command', () => {
    const { paths, components } = document
    expect(paths['/api/keys'].post.parameters).toEqual([{ $ref: '#/components/parameters/IdempotencyKey' }])
    expect(paths['/api/keys'].post['x-hotline-proof']).toBe('password')
    expect(paths['/api/me'].get.responses[200].headers.ETag).toBeDefined()
    expect(paths['/api/me'].get.responses[304]).toBeDefined()
    const [limit] = paths['/api/sessions/{id}/events'].get.parameters.filter(
      (one: { name: string }) => one.name === 'limit',
    )
    expect(limit.schema).toMatchObject({ type: 'integer', minimum: 1, maximum: 1_000, default: 1_000 })
    expect(paths['/api/follow'].post.responses[200].content).toHaveProperty(['text/event-stream'])
    const commands = components.schemas.AnyCommand.anyOf.map(
      (one: { properties: { type: { const: string } } }) => one.properties.type.const,
    )
    expect(commands).toEqual(commandTypes)
    expect(document['x-hotline-limits'].bodyBytes).toEqual({ default: 1_048_576, setting: 'HOTLINE_LIMIT_BODY_BYTES' })
    const [refused] = [paths['/api/agent/history'].get.responses[400].content['application/problem+json'].schema]
    expect(refused).toMatchObject({ properties: { success: { const: false } }, required: ['success'] })
  })

  it('[OA4] is the same on every server, whoever asks and whatever is in it', async () => {
    const before = stack.http.declared
    const cookie = await stack.claim()
    expect((await stack.send({ target: '/api/openapi.json', headers: [['Cookie', cookie]] })).body.toString()).toBe(
      text,
    )
    await using other = await openHttpStack({ env: { HOTLINE_LIMIT_BODY_BYTES: '2048' } })
    expect((await other.send({ target: '/api/openapi.json' })).body.toString()).toBe(text)
    expect(JSON.stringify(openApiDocument(before))).toBe(text)
    for (const own of [stack.dir, String(stack.port)]) expect(text).not.toContain(own)
  })

  it('[OA5] its examples are what the routes take', () => {
    const examples = stack.http.declared.filter(({ example }) => example !== undefined)
    expect(examples.length).toBeGreaterThan(10)
    for (const { url, body, bodyShape, example } of examples) {
      expect([url, (bodyShape ?? body)?.safeParse(example).error]).toEqual([url, undefined])
    }
  })
})
