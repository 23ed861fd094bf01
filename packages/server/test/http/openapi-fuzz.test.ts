import type { HandRunner } from '@hotline/testing/hand-runner'
import { randomSeed, type SeededRandom, seededRandom } from '@hotline/testing/seed'
import { uuidV7 } from '@hotline/client/uuid'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Callers, openCallers, type Who } from './callers.ts'
import { type Maker, oneWrong, type Schema, validValue, wildText, wildValue } from './schema-values.ts'

interface Media {
  schema: Schema
  example?: unknown
}
interface Parameter {
  $ref?: string
  name: string
  in: 'path' | 'query' | 'header'
  required?: boolean
  schema: Schema
}
interface Operation {
  operationId: string
  parameters?: readonly Parameter[]
  requestBody?: { content: Record<string, Media> }
  responses: Record<string, { content?: Record<string, Media> }>
}
interface Document {
  paths: Record<string, Record<string, Operation>>
}
/** An operation with where it is in the document. */
interface Place {
  method: string
  path: string
  operation: Operation
  pointer: string
}
/** One request, and whether the document says that its form is right. */
interface Sent {
  target: string
  body: unknown
  headers: Record<string, string>
  isRight: boolean
}
interface Got {
  status: number
  type: string
  body: unknown
}

/** Rounds of each kind, for each operation and credential. */
const rounds = { right: 3, wrong: 2, wild: 1 }
/** A request that waits for news, or for a machine that says nothing, is left after this. */
const patienceMs = 1_500
/** Some commands have rules between their members, which JSON Schema does not say here. */
const betweenMembers = /^\/api\/commands$/
/** What ends credentials goes last: what comes after it is refused, and shows less. */
const ends = /sign-out|\/auth\/password$|\/disable$|^DELETE .*\/keys\//

let callers: Callers
let hand: HandRunner
let document: Document
beforeAll(async () => {
  callers = await openCallers()
  hand = await callers.server.startSession('To be asked about')
  await hand.ask({ tool: 'bash', title: 'Test', input: 'npm test' })
  await callers.command(callers.owner, `task:${uuidV7()}`, 'task.create', { project: 'default', title: 'A card' })
  document = (await callers.call('GET', '/api/openapi.json', {})).body
})
afterAll(() => callers[Symbol.asyncDispose]())

const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')

function places(): Place[] {
  const all = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation,
      pointer: `#/paths/${escaped(path)}/${method}`,
    })),
  )
  const isLast = ({ method, path }: Place): number => (ends.test(`${method} ${path}`) ? 1 : 0)
  return all.toSorted((a, b) => isLast(a) - isLast(b))
}

/** Finds what a reference or a path inside the document means. */
function at(pointer: string): unknown {
  const names = pointer
    .slice(2)
    .split('/')
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
  return names.reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], document)
}

function openMaker(
  random: SeededRandom,
): Maker & { note: (value: unknown) => void; validator: (schema: Schema) => ValidateFunction } {
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema(document, 'api')
  const cache = new Map<Schema, ValidateFunction>()
  const known = new Map<string, Set<string>>()
  const validator = (schema: Schema): ValidateFunction => {
    // A reference is to the document, wherever the schema stands.
    const made = cache.get(schema) ?? ajv.compile(inDocument(schema))
    cache.set(schema, made)
    return made
  }
  const note = (value: unknown, name = ''): void => {
    if (typeof value === 'string' && value.length < 70) {
      const texts = known.get(name) ?? new Set()
      known.set(name, texts)
      if (texts.size < 20) texts.add(value)
    }
    if (typeof value !== 'object' || value === null) return
    // What a list holds goes by the name of the list.
    for (const [own, member] of Object.entries(value)) note(member, Array.isArray(value) ? name : own)
  }
  return {
    random,
    resolve: (ref) => at(ref) as Schema,
    isValid: (schema, value) => validator(schema)(value),
    known: (name) => [
      ...random.shuffle([...(known.get(name) ?? [])]),
      ...random.shuffle([...known.values()].flatMap((texts) => [...texts])).slice(0, 20),
    ],
    note,
    validator,
  }
}

function inDocument(value: unknown): object {
  const walk = (one: unknown): unknown => {
    if (Array.isArray(one)) return one.map(walk)
    if (typeof one !== 'object' || one === null) return one
    return Object.fromEntries(
      Object.entries(one).map(([name, member]) => [
        name,
        name === '$ref' && typeof member === 'string' ? `api${member}` : walk(member),
      ]),
    )
  }
  return walk(value) as object
}

type Kind = keyof typeof rounds

/** Under which names answers tell such a value: `id` after `sessions` is a `session`, `taskId` also a `task`. */
function namesOf({ name, in: place }: Parameter, path: string): string[] {
  if (place !== 'path') return [name]
  if (name !== 'id') return [name, name.replace(/Id$/, '')]
  const parts = path.split('/')
  return [parts[parts.indexOf('{id}') - 1]?.replace(/s$/, '') ?? name]
}

function makeRequest({ path, operation }: Place, kind: Kind, maker: Maker): Sent {
  const { random } = maker
  const sent: Sent = { target: path, body: undefined, headers: {}, isRight: true }
  const query = new URLSearchParams()
  const parameters = (operation.parameters ?? []).map((one) =>
    one.$ref === undefined ? one : (at(one.$ref) as Parameter),
  )
  // One thing is wrong: the body where there is one, else a parameter.
  const media = operation.requestBody?.content['application/json']
  const spoilt = kind === 'wrong' && !media && parameters.length > 0 ? random.pick(parameters) : undefined
  for (const parameter of parameters) {
    const isWild = kind === 'wild' || parameter === spoilt
    if (!parameter.required && !isWild && random.chance(0.4)) continue
    // Waiting shows nothing here.
    const value =
      parameter.name === 'wait' ? 0 : validValue(parameter.schema, maker, random.pick(namesOf(parameter, path)))
    const given = isWild ? wildText(random) : value
    const asText = String(given)
    if (parameter.in === 'path')
      sent.target = sent.target.replace(`{${parameter.name}}`, encodeURIComponent(asText) || 'x')
    else if (parameter.in === 'query') query.set(parameter.name, asText)
    else if (/^[\x21-\x7e]+$/.test(asText)) sent.headers[parameter.name] = asText
    // What no header can hold is not sent.
    else continue
    const isNumber = parameter.schema.type === 'integer'
    const read = isNumber && /^[0-9]{1,15}$/.test(asText) ? Number(asText) : given
    if (parameter.name !== 'If-None-Match' && !maker.isValid(parameter.schema, read)) sent.isRight = false
  }
  if (kind !== 'right' && !media && random.chance(0.3)) {
    query.set('notKnown', '1')
    if (parameters.some((one) => one.in === 'query')) sent.isRight = false
  }
  if (query.size > 0) sent.target += `?${query.toString()}`
  if (media) {
    const right = media.example !== undefined && random.chance(0.3) ? media.example : validValue(media.schema, maker)
    sent.body = kind === 'right' ? right : kind === 'wrong' ? oneWrong(right, random) : wildValue(random)
    if (typeof sent.body === 'object' && sent.body !== null && 'wait' in sent.body) sent.body.wait = 0
    if (!maker.isValid(media.schema, sent.body)) sent.isRight = false
  }
  return sent
}

/** Sends it; undefined where nothing came in time. A stream is left after its head. */
async function ask({ method }: Place, { target, body, headers }: Sent, who: Who): Promise<Got | undefined> {
  const patience = AbortSignal.timeout(patienceMs)
  try {
    const response = await fetch(new URL(target, callers.server.url), {
      method,
      signal: patience,
      headers: {
        ...headers,
        origin: callers.server.url,
        ...(who.cookie === undefined ? {} : { cookie: who.cookie }),
        ...(who.token === undefined ? {} : { authorization: `Bearer ${who.token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const type = response.headers.get('content-type')?.split(';', 1)[0] ?? ''
    if (type === 'text/event-stream') {
      await response.body?.cancel()
      return { status: response.status, type, body: 'a stream' }
    }
    const text = await response.text()
    return { status: response.status, type, body: /[/+]json$/.test(type) && text !== '' ? JSON.parse(text) : text }
  } catch (error) {
    if (patience.aborted) return undefined
    throw error
  }
}

/** What of an answer is not as the document says; empty where all is. */
function faultsOf(place: Place, sent: Sent, got: Got, validator: (schema: Schema) => ValidateFunction): string[] {
  const { status, type, body } = got
  const declared = place.operation.responses[status]
  if (status >= 500) return [`answers ${status}`]
  if (!declared) return [`answers ${status}, which is not declared`]
  const faults: string[] = []
  if (!sent.isRight && status < 400) faults.push(`takes what the document says is wrong (${status})`)
  const code = (body as { code?: string; issues?: unknown }).code
  if (
    sent.isRight &&
    !betweenMembers.test(place.path) &&
    code === 'invalid_request' &&
    (body as { issues?: unknown }).issues
  ) {
    faults.push(`refuses what the document says is right: ${(body as { detail: string }).detail}`)
  }
  const content = Object.entries(declared.content ?? {})
  const media = content.find(([name]) => name === type)?.[1]
  if (content.length === 0) return body === '' ? faults : [...faults, `has a body with ${status}`]
  if (!media) return [...faults, `answers ${status} as ${type}, which is not declared`]
  const isRight = validator(media.schema)
  if (!isRight(body)) faults.push(`answers ${status} in another form: ${JSON.stringify(isRight.errors?.slice(0, 3))}`)
  return faults
}

const asked = [
  'owner in a browser',
  'owner by token, with the password said',
  'viewer by token',
  'service of operator',
  'stranger by token',
  'runner of this machine',
] as const

describe('what the document says is what the server does', () => {
  it('[OA7] every operation, with right, nearly right and wild input, by many credentials', async () => {
    const random = seededRandom(randomSeed('the API by its document'))
    const maker = openMaker(random)
    const faults = new Set<string>()
    const silent: string[] = []
    const good = new Set<string>()
    for (const place of places()) {
      const name = `${place.method} ${place.path}`
      let answers = 0
      for (const who of ['nobody', ...asked]) {
        for (const kind of Object.keys(rounds) as Kind[]) {
          for (let round = 0; round < rounds[kind]; round += 1) {
            const sent = makeRequest(place, kind, maker)
            const got = await ask(place, sent, callers.who[who] ?? {})
            if (!got) continue
            answers += 1
            maker.note(got.body)
            if (got.status < 300) good.add(name)
            for (const fault of faultsOf(place, sent, got, maker.validator)) {
              faults.add(`${name} ${fault} <- ${sent.target} ${JSON.stringify(sent.body)?.slice(0, 400)} by ${who}`)
            }
          }
        }
      }
      if (answers === 0) silent.push(name)
    }
    console.log(`${good.size} of ${places().length} operations did what they are for`)
    expect([...faults]).toEqual([])
    expect(silent).toEqual([])
    expect(good.size).toBeGreaterThan(40)
  })
})
