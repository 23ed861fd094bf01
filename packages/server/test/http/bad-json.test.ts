import { sendRawRequest } from '@hotline/testing/raw-http'
import * as fc from 'fast-check'
import { randomSeed } from '@hotline/testing/seed'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { parseJson, parseJsonBytes } from '../../src/http/json.ts'
import { type HttpStack, openHttpStack, owner, rawBytes } from './http-stack.ts'

let stack: HttpStack
let token: string

/** One field of each kind, strict. */
const Sample = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/)
    .optional(),
  count: z.int().optional(),
  ratio: z.number().optional(),
  text: z.string().max(1_000).optional(),
  at: z.iso.datetime({ offset: true }).optional(),
  any: z.unknown().optional(),
})

beforeAll(async () => {
  stack = await openHttpStack({
    env: { HOTLINE_LIMIT_SIGN_INS_PER_NETWORK: '100000' },
    register: (route) => {
      route({
        method: 'POST',
        url: '/api/sample',
        summary: 'For a test',
        permission: 'open',
        body: Sample,
        answer: z.unknown(),
        handle: ({ body }) => ({ value: { got: body } }),
      })
    },
  })
  const cookie = await stack.claim()
  token = (await stack.call('POST', '/api/keys', { cookie, body: { kind: 'pat', name: 'test' } })).body.token
  await stack.confirm({ token })
})
afterAll(() => stack[Symbol.asyncDispose]())

async function post(body: string | Uint8Array, type = 'application/json', target = '/api/sample'): Promise<Sent> {
  const headers = [['Content-Type', type]] as const
  const bytes = rawBytes({ method: 'POST', target, headers, body }, stack.port)
  const response = await sendRawRequest({ port: stack.port }, bytes, { method: 'POST' })
  const text = response.body.toString('utf8')
  return { status: response.status, body: JSON.parse(text) as Sent['body'] }
}

interface Sent {
  status: number
  body: { code?: string; got?: unknown }
}

type Row = [title: string, body: string | Uint8Array, status: number, code: string, type?: string, target?: string]

const manyKeys = `{${Array.from({ length: 100_000 }, (_, at) => `"k${at}":1`).join(',')}}`
const textOf = (unit: string, times: number): string => JSON.stringify({ text: unit.repeat(times) })
const bom = Buffer.from([0xef, 0xbb, 0xbf])

const rows: Row[] = [
  ['[J01] 100,000 nested arrays', '['.repeat(100_000), 400, 'invalid_json'],
  ['[J01] nested one deeper than the limit', `{"any":${'['.repeat(64)}${']'.repeat(64)}}`, 400, 'invalid_json'],
  ['[J02] a member __proto__', '{"__proto__":{"admin":true}}', 400, 'invalid_json'],
  ['[J02] __proto__ in escapes, deep inside', '{"any":[{"\\u005f_proto__":{}}]}', 400, 'invalid_json'],
  ['[J03] constructor.prototype', '{"any":{"constructor":{"prototype":{}}}}', 400, 'invalid_json'],
  ['[J04] a member twice', '{"count":1,"count":2}', 400, 'invalid_json'],
  ['[J04] a member twice, once in escapes', '{"count":1,"\\u0063ount":2}', 400, 'invalid_json'],
  ['[J04] a member twice, deep inside', '{"any":{"a":{"b":1,"c":2,"b":3}}}', 400, 'invalid_json'],
  ['[J05] a number as text', '{"count":"5"}', 400, 'invalid_request'],
  ['[J05] null for a number', '{"count":null}', 400, 'invalid_request'],
  ['[J05] a fraction for a whole number', '{"count":1.5}', 400, 'invalid_request'],
  ['[J06] an unknown member', '{"count":1,"role":"admin"}', 400, 'invalid_request'],
  ['[J07] an integer that a double cannot hold', '{"any":9007199254740993}', 400, 'invalid_json'],
  ['[J07] a fraction that a double cannot hold', '{"ratio":0.12345678901234567890}', 400, 'invalid_json'],
  ['[J08] a number that is infinite', '{"ratio":1e400}', 400, 'invalid_json'],
  ['[J08] a number that becomes nothing', '{"ratio":1e-400}', 400, 'invalid_json'],
  ['[J08] minus zero', '{"ratio":-0}', 400, 'invalid_json'],
  ['[J08] NaN', '{"ratio":NaN}', 400, 'invalid_json'],
  ['[J09] half a character in escapes', '{"text":"\\ud800"}', 400, 'invalid_json'],
  ['[J09] the halves in the wrong order', '{"text":"\\udc00\\ud800"}', 400, 'invalid_json'],
  ['[J09] half a character as a name', '{"any":{"\\ud800":1}}', 400, 'invalid_json'],
  ['[J09] half a character in bytes', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), 400, 'invalid_json'],
  ['[J09] bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22]), 400, 'invalid_json'],
  ['[J10] a byte order mark', Buffer.concat([bom, Buffer.from('{}')]), 400, 'invalid_json'],
  ['[J11] nothing', '', 400, 'invalid_request'],
  ['[J11] blanks', '   ', 400, 'invalid_json'],
  ['[J11] null', 'null', 400, 'invalid_request'],
  ['[J11] a text', '"x"', 400, 'invalid_request'],
  ['[J11] a list', '[]', 400, 'invalid_request'],
  ['[J11] two documents', '{}{}', 400, 'invalid_json'],
  ['[J11] a comment', '{}//', 400, 'invalid_json'],
  ['[J11] a body where none is meant', '{"x":1}', 400, 'invalid_request', 'application/json', '/api/auth/ticket'],
  ['[J12] 2 MB', `"${'x'.repeat(2 * 1024 * 1024)}"`, 413, 'too_large'],
  ['[J13] text/plain', '{}', 415, 'media_type', 'text/plain'],
  ['[J13] a form', 'count=1', 415, 'media_type', 'application/x-www-form-urlencoded'],
  ['[J13] a form of parts', '{}', 415, 'media_type', 'multipart/form-data; boundary=x'],
  ['[J14] a tab in the type', '{}', 415, 'media_type', 'application/json\ta'],
  ['[J14] another charset', '{}', 415, 'media_type', 'application/JSON; charset=utf-16'],
  ['[J14] two types', '{}', 415, 'media_type', 'application/json, text/plain'],
  ['[J14] a type with an ending', '{}', 415, 'media_type', 'application/json5'],
  ['[J14] a parameter that is none', '{}', 415, 'media_type', 'application/json; x=y'],
  ['[J15] 1,000,000 combining marks: the body is over its limit', textOf('\u0301', 1_000_000), 413, 'too_large'],
  ['[J15] 1,000,000 line ends: the body is over its limit', textOf('\n', 1_000_000), 413, 'too_large'],
  ['[J15] as many combining marks as fit', textOf('\u0301', 524_000), 400, 'invalid_request'],
  ['[J15] as many line ends as fit', textOf('\n', 524_000), 400, 'invalid_request'],
  ['[J17] 100,000 members', manyKeys, 413, 'too_large'],
  ['[J17] 30,000 members', `{"any":{${manyKeys.slice(1, 340_000).replace(/,[^,]*$/, '')}}}`, 400, 'invalid_json'],
  ['[J17] 30,000 elements', `{"any":[${'1,'.repeat(30_000)}1]}`, 400, 'invalid_json'],
  ...['{}', '[]', '5', '""', '"../x"', '"a b"', '"-x"', '"a\\u0000"', `"${'a'.repeat(65)}"`].map((id): Row => [
    `[J18] an id ${id.slice(0, 20)}`,
    `{"id":${id}}`,
    400,
    'invalid_request',
  ]),
  ...['+275760-09-13T00:00:00Z', '2026-02-30T00:00:00Z', '2026-01-01T00:00:00', '2026-13-01T00:00:00Z', 'today'].map(
    (at): Row => [`[J19] a time ${at}`, JSON.stringify({ at }), 400, 'invalid_request'],
  ),
]

describe('broken bodies', () => {
  it.each(rows)('%s', async (_title, body, status, code, type, target) => {
    const headers: (readonly [string, string])[] = [['Content-Type', type ?? 'application/json']]
    if (target !== undefined) headers.push(['Authorization', `Bearer ${token}`])
    const bytes = rawBytes({ method: 'POST', target: target ?? '/api/sample', headers, body }, stack.port)
    const response = await sendRawRequest({ port: stack.port }, bytes, { method: 'POST' })
    const problem = JSON.parse(response.body.toString('utf8')) as { status: number; code: string }
    expect([response.status, problem.code]).toEqual([status, code])
    expect((await stack.call('GET', '/healthz')).status).toBe(200)
  })

  it('[J14] a blank before and after the type is the same type', async () => {
    expect((await post('{}', '  application/json ')).status).toBe(200)
    expect((await post('{}', 'Application/JSON; Charset=UTF-8')).status).toBe(200)
  })

  it('[J16] NUL in a name is refused, never a fault', async () => {
    for (const name of ['a\0b', 'a\nb', 'a\u001b[31m', '\ud83d\ude00\u2028']) {
      const made = await stack.call('POST', '/api/keys', { token, body: { kind: 'pat', name } })
      expect([made.status, made.body.code]).toEqual([400, 'invalid_request'])
    }
    const signIn = await stack.call('POST', '/api/auth/sign-in', { body: { name: 'a\0b', password: owner.password } })
    expect(signIn.status).toBe(401)
    const account = await stack.call('POST', '/api/accounts', {
      token,
      body: { name: 'a\0b', password: owner.password },
    })
    expect(account.status).toBe(400)
  })

  it('[J06] a member for each column of an account is refused, not dropped', async () => {
    for (const member of ['account', 'name_key', 'disabled', 'access_version', 'created_at', 'role', 'projectId']) {
      const body = { name: 'erin', password: owner.password, [member]: '1' }
      expect((await stack.call('POST', '/api/accounts', { token, body })).status).toBe(400)
    }
  })
})

describe('parseJson', () => {
  it('[J11] reads whatever JSON.stringify writes, and keeps every value', () => {
    const seed = randomSeed('json')
    // Numbers as programs print them: no minus zero, no integer beyond what a double holds.
    const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })).filter((value) => {
      return !Object.is(value, -0) && (!Number.isInteger(value) || Number.isSafeInteger(value))
    })
    const text = fc.string({ unit: 'grapheme' })
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom(null, true, false),
        number,
        text,
        fc.array(tie('tree'), { maxLength: 5 }),
        fc.dictionary(
          text.filter((name) => name !== '__proto__' && name !== 'prototype'),
          tie('tree'),
          { maxKeys: 5 },
        ),
      ),
    }))
    fc.assert(
      fc.property(tree, (value) => {
        expect(parseJson(JSON.stringify(value))).toEqual({ value: JSON.parse(JSON.stringify(value)) as unknown })
      }),
      { seed, numRuns: 300 },
    )
  })

  it('[J11] never reads what JSON.parse refuses, and never throws', () => {
    const seed = randomSeed('not json')
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      '\\',
      ',',
      ':',
      '1',
      '-',
      '.',
      'e5',
      'a',
      'null',
      ' ',
      '\u0000',
      '\\u',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const given = pieces.join('')
        const read = parseJson(given)
        let known: unknown
        try {
          known = { value: JSON.parse(given) as unknown }
        } catch {
          known = undefined
        }
        if ('value' in read) expect(read).toEqual(known)
      }),
      { seed, numRuns: 2_000 },
    )
  })

  it('[J01] takes what is as deep as the limit allows', () => {
    expect(parseJsonBytes(Buffer.from(`${'['.repeat(64)}${']'.repeat(64)}`))).toHaveProperty('value')
  })

  it('[J07] reads a long number in little time', () => {
    // So long that the time of this test would never be enough if it grew with the square of the length.
    expect(parseJson(`1${'0'.repeat(5_000_000)}.1`)).toHaveProperty('detail')
    expect(parseJson(`"${'\\\\'.repeat(4_000_000)}"`)).toHaveProperty('value')
  })
})
