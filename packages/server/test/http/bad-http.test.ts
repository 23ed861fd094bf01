import { openRawConnection, type RawResponse, sendRawRequest } from '@hotline/testing/raw-http'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defaultTimeouts } from '../../src/http/fastify-app.ts'
import { type HttpStack, openHttpStack, rawBytes, type RawRequest } from './http-stack.ts'

/** For those who are slow on purpose: whoever is not would meet them where the machine stands still for a moment. */
const short = { headersMs: 500, requestMs: 1_000, uploadMs: 4_000, silenceMs: 2_500, keepAliveMs: 2_000, checkMs: 100 }

let stack: HttpStack
let cookie: string

beforeAll(async () => {
  stack = await openHttpStack({
    env: { HOTLINE_LIMIT_SOCKETS_PER_ADDRESS: '20', HOTLINE_LIMIT_REQUESTS_PER_NETWORK: '100000' },
    register: (route) => {
      route({
        method: 'GET',
        url: '/api/echo',
        summary: 'For a test',
        permission: 'open',
        query: z.strictObject({ a: z.string().optional() }),
        answer: z.unknown(),
        handle: ({ query, visit }) => ({ value: { query, address: visit.address, keys: Object.keys({}) } }),
      })
    },
  })
  cookie = await stack.claim()
})
afterAll(() => stack[Symbol.asyncDispose]())

const host = (value: string): readonly [string, string] => ['Host', value]
const withPort = (name: string): string => `${name}:${stack.port}`

/** One line of the catalogue: what is sent (bytes, or a request) and the statuses that are right. */
type Row = [title: string, request: () => RawRequest | string, statuses: number[]]

const rows: Row[] = [
  ['[H01] a foreign Host', () => ({ headers: [host(withPort('evil.example'))] }), [421]],
  ['[H02] no Host', () => 'GET /healthz HTTP/1.1\r\n\r\n', [400]],
  [
    '[H03] two Hosts, good and evil',
    () => ({ headers: [host(withPort('localhost')), host(withPort('evil.example'))] }),
    [400],
  ],
  ['[H03] two equal Hosts', () => ({ headers: [host(withPort('localhost')), host(withPort('localhost'))] }), [400]],
  ['[H04] Host 0.0.0.0', () => ({ headers: [host(withPort('0.0.0.0'))] }), [421]],
  ['[H04] Host [::]', () => ({ headers: [host(withPort('[::]'))] }), [421]],
  ['[H05] the right name and another port', () => ({ headers: [host(`localhost:${stack.port + 1}`)] }), [421]],
  ['[H05] the right name without a port', () => ({ headers: [host('localhost')] }), [421]],
  ['[H06] Host in upper case', () => ({ headers: [host(withPort('LOCALHOST'))] }), [421]],
  ['[H06] Host with a trailing dot', () => ({ headers: [host(withPort('localhost.'))] }), [421]],
  ['[H06] Host with a user', () => ({ headers: [host(withPort('user@localhost'))] }), [421]],
  ['[H07] absolute target with another authority', () => ({ target: `http://evil.example/healthz` }), [400]],
  ['[H07] absolute target with the own authority', () => ({ target: `${stack.origin}/healthz` }), [400]],
  [
    '[H09] Content-Length and Transfer-Encoding',
    () => ({
      method: 'POST',
      headers: [
        ['Content-Length', '4'],
        ['Transfer-Encoding', 'chunked'],
      ],
      body: '0\r\n\r\n',
    }),
    [400],
  ],
  [
    '[H09] two different Content-Lengths',
    () => ({
      method: 'POST',
      headers: [
        ['Content-Length', '1'],
        ['Content-Length', '2'],
      ],
    }),
    [400],
  ],
  ['[H10] a folded header', () => ({ headers: [['X-Folded', 'a\r\n b']] }), [400]],
  ['[H11] a header of 20 kB', () => ({ headers: [['X-Large', 'a'.repeat(20_000)]] }), [431]],
  ['[H11] 200 headers', () => ({ headers: Array.from({ length: 200 }, (_, at) => [`X-${at}`, '1'] as const) }), [431]],
  ['[H14] TRACE', () => ({ method: 'TRACE' }), [404, 405]],
  ['[H14] CONNECT', () => `CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost:${stack.port}\r\n\r\n`, [404, 405]],
  ['[H14] a made-up method', () => ({ method: 'FROBNICATE' }), [404, 405]],
  ['[H14] a method that this path does not have', () => ({ method: 'PUT', target: '/api/me' }), [404, 405]],
  ['[H15] half an escape', () => ({ target: '/%zz' }), [400, 404]],
  ['[H15] NUL in the path', () => ({ target: '/%00' }), [400, 404]],
  ['[H15] [P02] encoded dots', () => ({ target: '/a/%2e%2e/b' }), [400, 404]],
  ['[H15] plain dots', () => ({ target: '/assets/../../package.json' }), [400, 404]],
  ['[H15] an encoded slash', () => ({ target: '/api%2fme' }), [400, 404]],
  ['[H15] two slashes', () => ({ target: '//evil' }), [400, 404]],
  ['[H15] a backslash', () => ({ target: '/\\evil' }), [400, 404]],
  ['[H15] [P02] invalid UTF-8', () => ({ target: '/%ff%fe' }), [400, 404]],
  ['[H15] a very long path', () => ({ target: `/api/keys/${'a'.repeat(5_000)}` }), [400, 401, 404]],
  ['[H16] a query name twice', () => ({ target: '/api/echo?a=1&a=2' }), [400]],
  ['[H17] a query name for the prototype', () => ({ target: '/api/echo?__proto__[x]=1' }), [400]],
  ['[H17] the prototype itself', () => ({ target: '/api/echo?__proto__=1&constructor=2' }), [400]],
  ...['null', 'https://localhost.evil', 'http://localhost:80.evil', 'http://evil.example', 'file://', '*', ''].map(
    (origin): Row => [
      `[H19] Origin ${JSON.stringify(origin)}`,
      () => ({ target: '/api/echo', headers: [['Origin', origin]] }),
      [403],
    ],
  ),
  [
    '[H20] a Cookie header of 16 kB',
    () => ({ target: '/api/me', headers: [['Cookie', `a=${'b'.repeat(16_000)}`]] }),
    [400, 431],
  ],
  [
    '[H20] 500 cookies',
    () => ({ target: '/api/me', headers: [['Cookie', Array.from({ length: 500 }, (_, at) => `c${at}=1`).join('; ')]] }),
    [400],
  ],
  ['[H20] a cookie for the prototype', () => ({ target: '/api/me', headers: [['Cookie', '__proto__=x']] }), [400]],
  [
    '[H20] two different sessions',
    () => ({ target: '/api/me', headers: [['Cookie', `${cookie}; ${cookie.slice(0, -1)}x`]] }),
    [401],
  ],
  [
    '[H20] two different sessions in two headers',
    () => ({
      target: '/api/me',
      headers: [
        ['Cookie', cookie],
        ['Cookie', `${cookie}x`],
      ],
    }),
    [401],
  ],
  ['[H22] a compressed body', () => ({ ...signIn('{}'), headers: [...json, ['Content-Encoding', 'gzip']] }), [415]],
  [
    '[H22] a body in two encodings',
    () => ({ ...signIn('{}'), headers: [...json, ['Content-Encoding', 'identity, br']] }),
    [415],
  ],
  [
    '[H22] chunked and compressed',
    () => ({ ...signIn('2\r\n{}\r\n0\r\n\r\n'), headers: [...json, ['Transfer-Encoding', 'gzip, chunked']] }),
    [400, 415],
  ],
]

const json: (readonly [string, string])[] = [['Content-Type', 'application/json']]

function signIn(body: string): RawRequest {
  return { method: 'POST', target: '/api/auth/sign-in', headers: json, body }
}

describe('broken requests', () => {
  it.each(rows)('%s', async (_title, request, statuses) => {
    const given = request()
    const bytes = typeof given === 'string' ? given : rawBytes(given, stack.port)
    const response = await sendRawRequest({ port: stack.port }, bytes)
    expect(statuses).toContain(response.status)
    expectProblem(response)
    await expectAlive()
  })

  it('[H07] the own authority in the target changes nothing about a bad Host', async () => {
    const response = await stack.send({ target: `${stack.origin}/healthz`, headers: [host('evil.example')] })
    expect(response.status).toBe(400)
  })

  it('[H18] forwarded headers of a stranger are not believed', async () => {
    const headers = [
      ['X-Forwarded-For', '6.6.6.6'],
      ['X-Forwarded-Host', 'evil.example'],
      ['X-Forwarded-Proto', 'https'],
      ['Forwarded', 'for=6.6.6.6;host=evil.example'],
    ] as const
    const { status, body } = await stack.call('GET', '/api/echo', { headers })
    expect(status).toBe(200)
    expect(body.address).toBe('127.0.0.1')
  })

  it('[H17] no prototype is changed by any name', async () => {
    await stack.call('GET', '/api/echo?__proto__[x]=1&constructor[prototype][x]=1')
    expect(({} as { x?: unknown }).x).toBeUndefined()
    expect((await stack.call('GET', '/api/echo')).body.keys).toEqual([])
  })

  it('[H21] a thousand ranges are one answer or none', async () => {
    const ranges = Array.from({ length: 1_000 }, () => '0-').join(',')
    const response = await stack.send({ target: '/', headers: [['Range', `bytes=${ranges}`]] })
    expect([200, 416, 503]).toContain(response.status)
    expect(response.body.length).toBeLessThan(10_000)
  })
})

describe('slow requests', () => {
  let hasty: HttpStack
  beforeAll(async () => {
    hasty = await openHttpStack({ timeouts: short })
  })
  afterAll(() => hasty[Symbol.asyncDispose]())

  it('[H12] a head that trickles is cut', async () => {
    await using connection = await openRawConnection({ port: hasty.port })
    const lines = `GET /healthz HTTP/1.1\r\nHost: localhost:${hasty.port}\r\n${'X-Slow: 1\r\n'.repeat(200)}`
    expect(await connection.trickle(lines, { sizeBytes: 11, everyMs: 50 })).toBe('closed')
    // The real limit is ten seconds, looked at every two.
    expect(defaultTimeouts.headersMs + defaultTimeouts.checkMs).toBeLessThanOrEqual(15_000)
  })

  it('[H13] a body that trickles is cut', async () => {
    await using connection = await openRawConnection({ port: hasty.port })
    await connection.send(
      `POST /api/auth/sign-in HTTP/1.1\r\nHost: localhost:${hasty.port}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n`,
    )
    expect(await connection.trickle(' '.repeat(200), { sizeBytes: 1, everyMs: 50 })).toBe('closed')
    expect(defaultTimeouts.requestMs).toBeLessThanOrEqual(30_000)
  })

  it('[AT14] a file may come slowly, but not for ever', async () => {
    const ours = await hasty.claim()
    const session = 'a-session-of-slow-files'
    const data = { project: 'default', agent: 'demo' }
    const started = { id: 'start-slow-files', stream: `session:${session}`, type: 'session.start', data }
    expect((await hasty.call('POST', '/api/commands', { cookie: ours, body: started })).status).toBe(200)
    const upload = async (everyMs: number): Promise<RawResponse | undefined> => {
      await using connection = await openRawConnection({ port: hasty.port })
      const name = `localhost:${hasty.port}`
      await connection.send(
        `POST /api/sessions/${session}/attachments?name=slow.txt HTTP/1.1\r\nHost: ${name}\r\nOrigin: http://${name}\r\n` +
          `Cookie: ${ours}\r\nContent-Type: application/octet-stream\r\nContent-Length: 20\r\n\r\n`,
      )
      const sent = await connection.trickle('x'.repeat(20), { sizeBytes: 1, everyMs })
      return sent === 'sent' ? await connection.readResponse().catch(() => undefined) : undefined
    }
    // Longer than any other request may take, and then longer than a file.
    expect((await upload(100))?.status).toBe(201)
    expect((await upload(400))?.status ?? 408).toBe(408)
  })

  it('[H23] a body that was announced and never comes is cut', async () => {
    await using connection = await openRawConnection({ port: hasty.port })
    await connection.send(
      `POST /api/auth/sign-in HTTP/1.1\r\nHost: localhost:${hasty.port}\r\nContent-Type: application/json\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n`,
    )
    const rest = (await connection.readToEnd()).toString('latin1')
    expect(rest).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 408 /)
  })

  it('[H12] a connection that says nothing is cut', async () => {
    await using connection = await openRawConnection({ port: hasty.port })
    await connection.readToEnd()
  })
})

describe('many requests', () => {
  it('[H24] one socket carries a limited number of requests', async () => {
    await using connection = await openRawConnection({ port: stack.port })
    const request = rawBytes({}, stack.port)
    let answered = 0
    for (;;) {
      await connection.send(request)
      const { status, headers } = await connection.readResponse()
      expect(status).toBe(200)
      answered += 1
      if (headers.some(([name, value]) => name.toLowerCase() === 'connection' && value === 'close')) break
    }
    expect(answered).toBe(1_000)
  })

  it('[H25] one address has a limited number of connections', async () => {
    const connections = await Promise.all(Array.from({ length: 40 }, () => openRawConnection({ port: stack.port })))
    try {
      const isAnswered = async (connection: (typeof connections)[number]): Promise<boolean> => {
        // One that was closed cannot be written to.
        await connection.send(rawBytes({}, stack.port)).catch(() => undefined)
        const response = await connection.readResponse().catch((error: { why?: string }) => {
          expect(error.why).not.toBe('deadline')
        })
        return response?.status === 200
      }
      const answered = await Promise.all(connections.map(isAnswered))
      expect(answered.filter(Boolean)).toHaveLength(20)
    } finally {
      await Promise.all(connections.map((connection) => connection[Symbol.asyncDispose]()))
    }
    await waitFor(() => expectAlive().then(() => true), { what: 'room for new connections' })
  })
})

function expectProblem(response: RawResponse): void {
  const type = response.headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1]
  expect(type).toMatch(/^application\/problem\+json/)
  const body = JSON.parse(response.body.toString('utf8')) as { status: number; code: string; detail: string }
  expect(body.status).toBe(response.status)
  expect(body.detail).not.toMatch(/ at \S+:\d|node:|Error|\.ts/)
}

async function expectAlive(): Promise<void> {
  const { status } = await stack.send({})
  expect(status).toBe(200)
}
