import { createHmac, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { actorOf } from '../../src/access/principal.ts'
import { mintToken } from '../../src/access/token.ts'
import { type CallOptions, type HttpStack, openHttpStack, owner } from './http-stack.ts'

let stack: HttpStack
/** Credentials of every kind, and the requests that carry them. */
let carriers: Record<string, CallOptions>

const member = { name: 'erin', password: 'a kettle under the blue bridge' }

beforeAll(async () => {
  stack = await openHttpStack({
    env: { HOTLINE_LIMIT_REQUESTS_PER_PRINCIPAL: '100000', HOTLINE_LIMIT_REQUESTS_PER_NETWORK: '100000' },
    register: (route) => {
      for (const permission of ['read', 'write'] as const) {
        for (const method of ['GET', 'POST'] as const) {
          route({
            method,
            url: `/api/test/${permission}`,
            summary: 'For a test',
            permission,
            answer: z.unknown(),
            handle: ({ principal }) => ({ value: { actor: principal ? actorOf(principal) : null } }),
          })
        }
      }
      route({
        method: 'POST',
        url: '/api/test/body',
        summary: 'For a test',
        permission: 'open',
        body: z.strictObject({}),
        answer: z.unknown(),
        handle: () => ({ value: {} }),
      })
    },
  })
  const cookie = await stack.claim()
  const made = await stack.call('POST', '/api/accounts', { cookie, body: member })
  expect(made.status).toBe(201)
  const memberCookie = (await stack.call('POST', '/api/auth/sign-in', { body: member })).cookie ?? ''
  const key = async (kind: string, scopes?: string[], from = cookie): Promise<string> => {
    const body = { kind, name: kind, ...(scopes ? { scopes } : {}) }
    return (await stack.call('POST', '/api/keys', { cookie: from, body })).body.token
  }
  carriers = {
    nobody: {},
    'owner in a browser': { cookie },
    'member in a browser': { cookie: memberCookie },
    'all of the owner': { token: await key('pat') },
    'reads for the owner': { token: await key('pat', ['read']) },
    'reads and decides for the owner': { token: await key('pat', ['read', 'decide']) },
    'all of the member': { token: await key('pat', undefined, memberCookie) },
    'a service of the owner': { token: await key('svc', ['read', 'write']) },
    'a runner': { token: await key('run') },
  }
  await stack.confirm(carriers['all of the owner'] ?? {})
})
afterAll(() => stack[Symbol.asyncDispose]())

describe('credentials', () => {
  it('[T16] a secret of one kind is taken at its own door alone', async () => {
    const cookieSecret = carriers['owner in a browser']?.cookie?.split('=')[1] ?? ''
    const keySecret = carriers['all of the owner']?.token ?? ''
    const ticket = (await stack.call('POST', '/api/auth/ticket', carriers['owner in a browser'])).body.ticket as string
    expect((await stack.call('GET', '/api/me', { token: cookieSecret })).status).toBe(401)
    expect((await stack.call('GET', '/api/me', { cookie: `hotline-local=${keySecret}` })).status).toBe(401)
    expect((await stack.call('GET', '/api/me', { token: ticket })).status).toBe(401)
    expect((await stack.call('GET', '/api/me', { cookie: `hotline-local=${ticket}` })).status).toBe(401)
    // Another door for the same token is no door.
    const basic = Buffer.from(`x:${keySecret}`).toString('base64')
    const wrongDoors = [
      { headers: [['Authorization', `Basic ${basic}`]] },
      { headers: [['X-Api-Key', keySecret]] },
      { headers: [['Authorization', keySecret]] },
    ] as const
    for (const door of wrongDoors) expect((await stack.call('GET', '/api/me', door)).status).toBe(401)
    for (const query of ['token', 'access_token', 'key']) {
      expect((await stack.call('GET', `/api/me?${query}=${keySecret}`)).status).toBe(401)
    }
  })

  it('[T09] nothing that somebody else has signed is believed', async () => {
    const b64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const account = (await stack.lists.accounts())[0]?.account ?? ''
    const claims = b64({ sub: account, aud: 'hotline', iss: 'hotline', exp: 4e9, admin: true })
    const heads = [
      { alg: 'none' },
      { alg: 'None', typ: 'JWT' },
      { alg: 'HS256' },
      { alg: 'HS256', kid: '../../dev/null' },
      { alg: 'RS256', jku: 'http://evil.example/keys' },
      { alg: 'EdDSA', jwk: { kty: 'OKP' } },
    ]
    const forged = heads.flatMap((head) => {
      const start = `${b64(head)}.${claims}`
      return [`${start}.`, `${start}.${createHmac('sha256', 'secret').update(start).digest('base64url')}`, start]
    })
    for (const kind of ['pat', 'run', 'svc', 'ses'] as const) forged.push(mintToken(kind, randomUUID()).text)
    expect(forged.length).toBeGreaterThanOrEqual(20)
    for (const token of forged) expect((await stack.call('GET', '/api/me', { token })).status).toBe(401)
    // A right id with a wrong secret, and a right token with one character changed.
    const right = carriers['all of the owner']?.token ?? ''
    const id = right.split('_')[2] ?? ''
    expect((await stack.call('GET', '/api/me', { token: mintToken('pat', id).text })).status).toBe(401)
    expect(
      (await stack.call('GET', '/api/me', { token: `${right.slice(0, -1)}${right.endsWith('0') ? '1' : '0'}` })).status,
    ).toBe(401)
  })
})

describe('pages of other origins', () => {
  const lookalikes = [
    'http://localhost:3000.evil.io',
    'http://127.0.0.1.evil',
    'null',
    'HTTP://LOCALHOST',
    'http://localhost.',
    'http://[::1]',
    'http://[0:0:0:0:0:0:0:1]',
    'https://localhost',
    'http://evil.example',
  ]

  it.each(lookalikes)('[T05] %s is not our origin', async (lookalike) => {
    const { cookie = '' } = carriers['owner in a browser'] ?? {}
    for (const origin of [lookalike, `${lookalike}:${stack.port}`]) {
      const answer = await stack.call('POST', '/api/test/write', { cookie, origin })
      expect([origin, answer.status, answer.body.code]).toEqual([origin, 403, 'origin_refused'])
      expect((await stack.call('GET', '/api/test/read', { cookie, origin })).status).toBe(403)
    }
    expect((await stack.call('POST', '/api/test/write', { cookie, origin: stack.origin })).status).toBe(200)
  })

  it('[T04] a cookie without Origin changes nothing; a token needs none', async () => {
    const { cookie = '' } = carriers['owner in a browser'] ?? {}
    const { token = '' } = carriers['all of the owner'] ?? {}
    expect((await stack.call('POST', '/api/test/write', { cookie, origin: 'none' })).status).toBe(403)
    expect((await stack.call('GET', '/api/test/read', { cookie, origin: 'none' })).status).toBe(200)
    expect((await stack.call('POST', '/api/test/write', { token })).status).toBe(200)
    const fetchSite = (site: string) =>
      stack.call('POST', '/api/test/write', { cookie, origin: 'none', headers: [['Sec-Fetch-Site', site]] })
    expect((await fetchSite('same-origin')).status).toBe(200)
    for (const site of ['none', 'same-site', 'cross-site', 'SAME-ORIGIN', '']) {
      expect([site, (await fetchSite(site)).status]).toEqual([site, 403])
    }
    // What is not sent at all is never a reason to let somebody in.
    expect((await stack.call('POST', '/api/test/write')).status).toBe(401)
  })

  it('[T06] requests that a page may send without asking change nothing', async () => {
    const { cookie = '' } = carriers['owner in a browser'] ?? {}
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=a', '']) {
      const headers = [
        ['Cookie', cookie],
        ['Content-Type', type],
      ] as const
      const own = [['Origin', stack.origin], ...headers] as const
      const foreign = [['Origin', 'http://evil.example'], ...headers] as const
      const send = (given: typeof own) =>
        stack.send({ method: 'POST', target: '/api/test/body', headers: given, body: '{}' })
      expect([type, (await send(own)).status]).toEqual([type, 415])
      expect([type, (await send(foreign)).status]).toEqual([type, 403])
    }
  })

  it('[T06] no answer ever allows another origin', async () => {
    const answers = await Promise.all([
      stack.call('GET', '/api/me', { origin: 'http://evil.example' }),
      stack.call('OPTIONS', '/api/me', {
        origin: 'http://evil.example',
        headers: [['Access-Control-Request-Method', 'POST']],
      }),
      stack.call('GET', '/', {}),
    ])
    for (const { headers } of answers) {
      expect(headers.filter(([name]) => name.toLowerCase().startsWith('access-control-'))).toEqual([])
    }
    expect(answers[1]?.status).toBe(404)
  })

  it('[T18] what the type says is what the body is read as', async () => {
    const bodies: [type: string, status: number][] = [
      ['application/json', 200],
      ['application/json; charset=utf-8', 200],
      ['APPLICATION/JSON', 200],
      [' application/json', 200],
      ['application/json\t', 200],
      ['application/json\ttext/plain', 415],
      ['application/json;text/plain', 415],
      ['application/json, application/json', 415],
      ['text/json', 415],
      ['application/vnd.api+json', 415],
    ]
    for (const [type, status] of bodies) {
      const request = {
        method: 'POST',
        target: '/api/test/body',
        headers: [['Content-Type', type]],
        body: '{}',
      } as const
      expect([type, (await stack.send(request)).status]).toEqual([type, status])
    }
    const twice = [
      ['Content-Type', 'application/json'],
      ['Content-Type', 'text/plain'],
    ] as const
    expect((await stack.send({ method: 'POST', target: '/api/test/body', headers: twice, body: '{}' })).status).toBe(
      400,
    )
  })
})

describe('keys', () => {
  it('[A6] a key never has more rights than what made it', async () => {
    const { token = '' } = carriers['reads and decides for the owner'] ?? {}
    expect((await stack.call('POST', '/api/keys', { token, body: { kind: 'pat', name: 'more' } })).status).toBe(403)
    const writes = (
      await stack.call('POST', '/api/keys', {
        ...carriers['all of the owner'],
        body: { kind: 'pat', name: 'w', scopes: ['write'] },
      })
    ).body.token as string
    await stack.confirm({ token: writes })
    const wider = await stack.call('POST', '/api/keys', {
      token: writes,
      body: { kind: 'pat', name: 'more', scopes: ['write', 'decide'] },
    })
    expect([wider.status, wider.body.code]).toEqual([403, 'forbidden'])
    const same = await stack.call('POST', '/api/keys', { token: writes, body: { kind: 'pat', name: 'same' } })
    expect([same.status, same.body.scopes]).toEqual([201, ['write']])
    const { token: service = '' } = carriers['a service of the owner'] ?? {}
    expect((await stack.call('POST', '/api/keys', { token: service, body: { kind: 'pat', name: 'x' } })).status).toBe(
      403,
    )
    const runner = await stack.call('POST', '/api/keys', {
      ...carriers['member in a browser'],
      body: { kind: 'run', name: 'x' },
    })
    expect(runner.status).toBe(403)
  })

  it('[A6] a key for projects sees and passes on those alone', async () => {
    const all = carriers['all of the owner'] ?? {}
    const none = await stack.call('POST', '/api/keys', {
      ...all,
      body: { kind: 'pat', name: 'x', projects: ['elsewhere'] },
    })
    expect([none.status, none.body.code]).toEqual([404, 'not_found'])
    const body = { kind: 'pat', name: 'one', projects: ['default'] }
    const one = (await stack.call('POST', '/api/keys', { ...all, body })).body.token as string
    expect((await stack.call('GET', '/api/me', { token: one })).body).toMatchObject({ admin: false })
    expect((await stack.call('GET', '/api/me', { token: one })).body.projects).toHaveLength(1)
    expect((await stack.call('GET', '/api/accounts', all)).status).toBe(200)
    expect((await stack.call('GET', '/api/accounts', { token: one })).status).toBe(403)
    const nowhere = (await stack.call('POST', '/api/keys', { ...all, body: { ...body, projects: [] } })).body
      .token as string
    expect((await stack.call('GET', '/api/me', { token: nowhere })).body.projects).toEqual([])
    await stack.confirm({ token: nowhere })
    const passedOn = await stack.call('POST', '/api/keys', { token: nowhere, body: { kind: 'pat', name: 'two' } })
    expect([passedOn.status, passedOn.body.projects]).toEqual([201, []])
    const wider = await stack.call('POST', '/api/keys', {
      token: nowhere,
      body: { kind: 'pat', name: 'three', projects: ['default'] },
    })
    expect(wider.status).toBe(404)
  })

  it('[A7] a key is shown once, listed without its secret, and dead when revoked', async () => {
    const { cookie = '' } = carriers['owner in a browser'] ?? {}
    const made = await stack.call('POST', '/api/keys', { cookie, body: { kind: 'svc', name: 'ci', days: 7 } })
    const token = made.body.token as string
    expect(token).toMatch(/^hl_svc_[0-9a-f-]{36}_[A-Za-z0-9_-]{43}_[0-9a-f]{6}$/)
    expect(Date.parse(made.body.expiresAt) - Date.now()).toBeLessThanOrEqual(7 * 24 * 60 * 60 * 1_000)
    expect((await stack.call('GET', '/api/me', { token })).body).toMatchObject({
      kind: 'service',
      id: made.body.key,
      name: 'ci',
    })
    const list = await stack.call('GET', '/api/keys', { cookie })
    const row = list.body.keys.find((one: { key: string }) => one.key === made.body.key)
    expect(row).toMatchObject({ kind: 'svc', name: 'ci' })
    expect(JSON.stringify(list.body)).not.toContain(token.slice(-50, -7))
    await expect
      .poll(async () =>
        (await stack.call('GET', '/api/keys', { cookie })).body.keys.find(
          (one: { key: string }) => one.key === row.key,
        ),
      )
      .toMatchObject({ lastUsedFrom: '127.0.0.1' })
    const stranger = await stack.call('DELETE', `/api/keys/${row.key}`, carriers['member in a browser'])
    expect([stranger.status, stranger.body.code]).toEqual([404, 'not_found'])
    expect((await stack.call('DELETE', `/api/keys/${row.key}`, { cookie })).status).toBe(204)
    expect((await stack.call('GET', '/api/me', { token })).status).toBe(401)
  })

  it('[A6] a key that only reads revokes itself and nothing else; a service sees itself alone', async () => {
    const all = carriers['all of the owner'] ?? {}
    const make = async (body: object) =>
      (await stack.call('POST', '/api/keys', { ...all, body: { kind: 'pat', name: 'x', ...body } })).body
    const reader = await make({ scopes: ['read'] })
    const victim = await make({})
    const refused = await stack.call('DELETE', `/api/keys/${victim.key}`, { token: reader.token })
    expect([refused.status, refused.body.code]).toEqual([403, 'forbidden'])
    expect((await stack.call('DELETE', `/api/keys/${reader.key}`, { token: reader.token })).status).toBe(204)
    const service = await make({ kind: 'svc' })
    const seen = await stack.call('GET', '/api/keys', { token: service.token })
    expect(seen.body.keys.map((row: { key: string }) => row.key)).toEqual([service.key])
    expect((await stack.call('DELETE', `/api/keys/${victim.key}`, { token: service.token })).status).toBe(404)
  })

  it('[A7] what is stored opens nothing', async () => {
    const { token = '' } = carriers['all of the owner'] ?? {}
    const row = await stack.lists.key(token.split('_')[2] ?? '')
    expect(row?.secret_hash).toMatch(/^[0-9a-f]{64}$/)
    expect((await stack.call('GET', '/api/me', { token: row?.secret_hash ?? '' })).status).toBe(401)
    expect((await stack.call('GET', '/api/me', { cookie: `hotline-local=${row?.secret_hash}` })).status).toBe(401)
    const events = await stack.store.read('server:main', { after: 0, limit: 1_000, maxBytes: 1e7 })
    const text = events.map(({ bytes }) => Buffer.from(bytes).toString('utf8')).join('\n')
    expect(text).not.toContain(row?.secret_hash)
    expect(text).not.toContain('argon2')
    expect(text).not.toContain(token.slice(-50))
  })

  it('[A8] an account of the same name in another case exists already', async () => {
    const again = await stack.call('POST', '/api/accounts', {
      ...carriers['all of the owner'],
      body: { ...owner, name: 'DANA' },
    })
    expect([again.status, again.body.code]).toEqual([409, 'already_exists'])
    const weak = await stack.call('POST', '/api/accounts', {
      ...carriers['all of the owner'],
      body: { name: 'frank', password: 'frank1234567' },
    })
    expect([weak.status, weak.body.code]).toEqual([400, 'weak_password'])
  })

  it('[A9] people are those who share a project, and their services', async () => {
    const seen = (await stack.call('GET', '/api/people', carriers['member in a browser'])).body.people
    expect(seen).toEqual([expect.objectContaining({ name: member.name, kind: 'person' })])
    const own = (await stack.call('GET', '/api/people', carriers['all of the owner'])).body.people
    expect(own).toContainEqual(expect.objectContaining({ name: owner.name, kind: 'person' }))
    expect(own).toContainEqual(expect.objectContaining({ name: 'svc', kind: 'service' }))
    expect(own).not.toContainEqual(expect.objectContaining({ name: member.name }))
  })

  it('[Q1] a list that did not change is not sent again', async () => {
    const carrier = carriers['all of the owner'] ?? {}
    const first = await stack.call('GET', '/api/me', carrier)
    const tag = first.headers.find(([name]) => name === 'etag')?.[1] ?? ''
    expect(tag).toMatch(/^"\S+"$/)
    const again = await stack.call('GET', '/api/me', { ...carrier, headers: [['If-None-Match', `W/"x", ${tag}`]] })
    expect([again.status, again.body]).toEqual([304, ''])
    expect((await stack.call('GET', '/api/me', { ...carrier, headers: [['If-None-Match', '"x"']] })).status).toBe(200)
  })

  it('[Q2] nothing of the API is kept by a cache', async () => {
    for (const path of ['/api/me', '/api/nothing', '/api/auth/state']) {
      const { headers } = await stack.call('GET', path, carriers['all of the owner'])
      expect([path, headers.find(([name]) => name === 'cache-control')?.[1]]).toEqual([path, 'no-store'])
    }
  })
})
