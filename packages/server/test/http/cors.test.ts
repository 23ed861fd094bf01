import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { browserAvailability, openBrowser } from '@hotline/testing/browser'
import { headerOf } from '@hotline/testing/raw-http'
import { openTempDir } from '@hotline/testing/temp-dir'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConfigError, readConfig } from '../../src/config/read-config.ts'
import { startServer } from '../../src/start-server.ts'
import { type HttpStack, openHttpStack, owner } from './http-stack.ts'

const friend = 'https://board.example.org'
const stranger = 'https://evil.example.org'
let stack: HttpStack
let cookie: string
let token: string

beforeEach(async () => {
  stack = await openHttpStack({ env: { HOTLINE_CORS_ORIGINS: `${friend}, http://localhost:5173` } })
  cookie = await stack.claim()
  const made = await stack.call('POST', '/api/keys', { cookie, body: { kind: 'svc', name: 'board' } })
  token = made.body.token as string
})
afterEach(() => stack[Symbol.asyncDispose]())

type Sent = { method?: string; target?: string; origin?: string; headers?: readonly (readonly [string, string])[] }

async function ask({ method = 'GET', target = '/api/me', origin = friend, headers = [] }: Sent): Promise<{
  status: number
  of: (name: string) => string | undefined
}> {
  const answer = await stack.send({ method, target, headers: [['Origin', origin], ...headers] })
  return { status: answer.status, of: (name) => headerOf(answer, name) }
}
const bearer = (): readonly [string, string] => ['Authorization', `Bearer ${token}`]

describe('pages from elsewhere', () => {
  it('[Q17] those that are named read and write with a token, and see what a client needs', async () => {
    const read = await ask({ headers: [bearer()] })
    expect([read.status, read.of('access-control-allow-origin'), read.of('vary')]).toEqual([
      200,
      friend,
      'Accept, Origin',
    ])
    expect(read.of('access-control-expose-headers')).toContain('ETag')
    expect(read.of('access-control-allow-credentials')).toBeUndefined()
    const asked: Sent = {
      method: 'OPTIONS',
      target: '/api/commands',
      headers: [
        ['Access-Control-Request-Method', 'POST'],
        ['Access-Control-Request-Headers', 'authorization,content-type'],
      ],
    }
    const preflight = await ask(asked)
    expect([preflight.status, preflight.of('access-control-allow-origin')]).toEqual([204, friend])
    expect(preflight.of('access-control-allow-methods')).toContain('POST')
    expect(preflight.of('access-control-allow-headers')).toContain('Authorization')
    // A refusal can be read there as well.
    const refused = await ask({ target: '/api/sessions/nothing', headers: [bearer()] })
    expect([refused.status, refused.of('access-control-allow-origin')]).toEqual([404, friend])
    // Also of what is refused before anything of it is read.
    const unread = await ask({ target: '/api/%2e%2e/me', headers: [bearer()] })
    expect([unread.status, unread.of('access-control-allow-origin'), unread.of('vary')]).toEqual([
      400,
      friend,
      'Origin',
    ])
    expect(
      (await ask({ target: '/api/%2e%2e/me', origin: stranger })).of('access-control-allow-origin'),
    ).toBeUndefined()
    expect((await ask({ origin: 'http://localhost:5173', headers: [bearer()] })).status).toBe(200)
  })

  it('[Q17] the cookie of a person counts for nothing there, and nobody signs in', async () => {
    expect((await ask({ headers: [['Cookie', cookie]] })).status).toBe(401)
    for (const target of ['/api/auth/sign-in', '/api/auth/bootstrap', '/api/auth/invitation/accept']) {
      const answer = await ask({ method: 'POST', target, headers: [['Cookie', cookie]] })
      expect([target, answer.status]).toEqual([target, 403])
      expect(answer.of('set-cookie')).toBeUndefined()
    }
  })

  it('[Q17] others are refused as ever, however like one they look', async () => {
    for (const origin of [
      stranger,
      `${friend}.evil.example.org`,
      friend.replace('https', 'http'),
      `${friend}:8443`,
      friend.toUpperCase(),
      `${friend}/`,
      'null',
      '*',
    ]) {
      const answer = await ask({ origin, headers: [bearer()] })
      expect([origin, answer.status, answer.of('access-control-allow-origin')]).toEqual([origin, 403, undefined])
      const preflight = await ask({ origin, method: 'OPTIONS', headers: [['Access-Control-Request-Method', 'POST']] })
      expect([origin, preflight.status >= 400, preflight.of('access-control-allow-origin')]).toEqual([
        origin,
        true,
        undefined,
      ])
    }
    // Nobody is named where nobody was.
    await using plain = await openHttpStack()
    const answer = await plain.send({ target: '/api/auth/state', headers: [['Origin', friend]] })
    expect([answer.status, headerOf(answer, 'access-control-allow-origin')]).toEqual([403, undefined])
  })

  it.each([
    '*',
    'https://*.example.org',
    'http://board.example.org',
    'board.example.org',
    'https://a.org/path',
    'null',
  ])('[Q17] a server does not start with %s among them', (one) => {
    expect(() => readConfig({ HOTLINE_DATA_DIR: '/tmp/x', HOTLINE_CORS_ORIGINS: one })).toThrow(ConfigError)
  })
})

const browser = browserAvailability()

describe.runIf(browser.available)('a page from elsewhere in a real browser', () => {
  it('[Q17] reads, writes and follows with its token, and is nobody without it', async () => {
    const elsewhere: Server = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html')
      response.end('<!doctype html><body>a board</body>')
    }).listen(0, '127.0.0.1')
    await once(elsewhere, 'listening')
    const { port } = elsewhere.address() as AddressInfo
    await using dir = await openTempDir()
    const config = readConfig({
      HOTLINE_DATA_DIR: join(dir.path, 'data'),
      HOTLINE_PORT: '0',
      HOTLINE_LISTEN: '127.0.0.1',
      HOTLINE_CORS_ORIGINS: `http://localhost:${port}`,
    })
    await using server = await startServer(config, join(dir.path, 'no-page'))
    const chromium = await openBrowser()
    try {
      const page = await chromium.newPage()
      await page.goto(`${server.url}/healthz`)
      const code = server.bootstrap?.split('=')[1]
      const key = await page.evaluate<string>(
        `(async () => {
          const json = { 'content-type': 'application/json' }
          const body = ${JSON.stringify(JSON.stringify({ code, ...owner }))}
          await fetch('/api/auth/bootstrap', { method: 'POST', headers: json, body })
          const made = await fetch('/api/keys', { method: 'POST', headers: json, body: '{"kind":"svc","name":"board"}' })
          return (await made.json()).token
        })()`,
      )
      // The person is signed in in this browser; cookies know no ports.
      await page.goto(`http://localhost:${port}/`)
      const tried = await page.evaluate(
        `(async (url, token) => {
          const headers = { authorization: 'Bearer ' + token, 'content-type': 'application/json' }
          const read = await fetch(url + '/api/me', { headers })
          const tried = { read: (await read.json()).name, tag: read.headers.get('etag') !== null }
          const body = JSON.stringify({ id: crypto.randomUUID(), stream: 'session:' + crypto.randomUUID(), type: 'session.start', data: { project: 'default', agent: 'demo' } })
          tried.write = (await fetch(url + '/api/commands', { method: 'POST', headers, body })).status
          tried.cookie = (await fetch(url + '/api/me', { credentials: 'include' }).then(({ status }) => status, () => 'refused'))
          tried.blind = (await fetch(url + '/api/me', { mode: 'no-cors', credentials: 'include' }).then(({ type }) => type, () => 'refused'))
          tried.socket = await new Promise((resolve) => {
            const ws = new WebSocket(url.replace('http', 'ws') + '/api/ws', 'hotline.v1')
            ws.onopen = () => ws.send(JSON.stringify({ t: 'hello', token }))
            ws.onmessage = (message) => resolve(JSON.parse(message.data).t)
            ws.onclose = () => resolve('refused')
          })
          return tried
        })(${JSON.stringify(server.url)}, ${JSON.stringify(key)})`,
      )
      expect(tried).toEqual({
        read: 'board',
        tag: true,
        write: 200,
        cookie: 'refused',
        blind: expect.stringMatching(/opaque|refused/) as string,
        socket: 'welcome',
      })
    } finally {
      await chromium.close()
      elsewhere.closeAllConnections()
      elsewhere.close()
    }
  })
})
