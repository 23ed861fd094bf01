import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KeyRow } from '@hotline/protocol/http'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { waitFor } from '@hotline/testing/wait-for'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { owner } from './http-stack.ts'
import { closing, enterRaw, heard, say } from '@hotline/testing/raw-conversation'

/** What is not told by itself is noticed at a heartbeat, after 15 s. */
const atOnceMs = 10_000
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'
const phone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1'

let live: LiveServer
let port: number
let hand: HandRunner
/** A runner's key reads the metrics, whatever becomes of people. */
let reader: string
beforeEach(async () => {
  live = await startLiveServer()
  port = Number(new URL(live.url).port)
  hand = await live.startSession()
  reader = readFileSync(join(live.dataDir, 'runner-key'), 'utf8').trim()
})
afterEach(() => live[Symbol.asyncDispose]())

interface Who {
  cookie?: string
  token?: string
}

function request(method: string, path: string, who: Who, body?: object, more: object = {}): Promise<Response> {
  return fetch(new URL(path, live.url), {
    method,
    headers: {
      origin: live.url,
      ...(who.cookie === undefined ? {} : { cookie: who.cookie }),
      ...(who.token === undefined ? {} : { authorization: `Bearer ${who.token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...more,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
}

async function signIn(userAgent = firefox, who: { name: string; password: string } = owner): Promise<Who> {
  const answer = await request('POST', '/api/auth/sign-in', {}, who, { 'user-agent': userAgent })
  expect(answer.status).toBe(200)
  return { cookie: answer.headers.getSetCookie()[0]?.split(';', 1)[0] ?? '' }
}

const status = async (who: Who): Promise<number> => (await request('GET', '/api/me', who)).status
async function keysOf(who: Who): Promise<KeyRow[]> {
  return ((await (await request('GET', '/api/keys', who)).json()) as { keys: KeyRow[] }).keys
}

/** All that are in, over whatever transport. */
async function connections(): Promise<number> {
  const text = await (
    await fetch(new URL('/metrics', live.url), { headers: { authorization: `Bearer ${reader}` } })
  ).text()
  const counts = [...text.matchAll(/^hotline_connections\{[^}]*\} (\d+)$/gm)].map(([, count]) => Number(count))
  return counts.reduce((sum, count) => sum + count, 0)
}

/** Everything through which a credential hears a session: a socket, server-sent events, a poll that waits. */
async function listen(who: Who): Promise<{ ends: () => Promise<void> }> {
  const headers = [
    ['Host', `localhost:${port}`],
    ['Origin', live.url],
  ] as const
  const ticket = async (): Promise<{ ticket: string }> => {
    const made = (await (await request('POST', '/api/auth/ticket', who)).json()) as { ticket: string }
    return { ticket: made.ticket }
  }
  const before = await connections()
  const socket = await (who.token === undefined ? enterRaw(port, await ticket(), headers) : enterRaw(port, who.token))
  await say(socket, { t: 'follow', stream: hand.stream, after: 'now' })
  await heard(socket, ({ t }) => t === 'caught_up')
  const streamed = request('GET', `/api/sessions/${hand.session}/stream`, who).then(async (response) => {
    expect(response.status).toBe(200)
    return response.text()
  })
  const follows = [{ stream: hand.stream, after: 'now' }]
  const polled = request('POST', '/api/follow', who, { follows, wait: 25 }).then((response) => response.text())
  await waitFor(async () => (await connections()) === before + 3, { what: 'a socket, a stream and a poll' })
  return {
    ends: async () => {
      expect(await closing(socket, atOnceMs)).toMatchObject({ code: 4401, problem: { code: 'unauthenticated' } })
      await socket[Symbol.asyncDispose]()
      // Both have an end before their time, and say why.
      for (const text of await Promise.all([streamed, polled])) expect(text).toContain('"code":"unauthenticated"')
    },
  }
}

describe('signing out everywhere', () => {
  it('[A13] ends every browser of the account at once, this one too, on sockets, streams and polls', async () => {
    const [here, there] = [await signIn(), await signIn(phone)]
    const listening = [await listen(here), await listen(there)]
    await using other = await enterRaw(port, live.token)
    const left = await request('POST', '/api/auth/sign-out-everywhere', here, {})
    expect(left.status).toBe(204)
    expect(left.headers.getSetCookie()[0]).toContain('Max-Age=0')
    for (const one of listening) await one.ends()
    expect([await status(here), await status(there), await status(live)]).toEqual([401, 401, 200])
    await say(other, { t: 'ping' })
    await heard(other, ({ t }) => t === 'pong')
  })

  it('[A13] with the wish tokens and API keys end too, and nobody else’s', async () => {
    const here = await signIn()
    const account = { name: 'mel', password: 'nine slow barges under the bridge' }
    expect((await request('POST', '/api/accounts', here, account)).status).toBe(201)
    const mel = await signIn(phone, account)
    const made = await request('POST', '/api/keys', here, { kind: 'svc', name: 'ci' })
    const service = (await made.json()) as { token: string }
    const listening = [await listen({ token: live.token }), await listen({ token: service.token })]
    expect((await request('POST', '/api/auth/sign-out-everywhere', here, { keys: 'revoke' })).status).toBe(204)
    for (const one of listening) await one.ends()
    expect([await status(here), await status(live), await status(service), await status(mel)]).toEqual([
      401, 401, 401, 200,
    ])
    // The runner is the machine's.
    await hand.report({
      type: 'output.appended',
      data: { source: 'stdout', encoding: 'utf8', bytes: 1 },
      body: { text: 'x' },
    })
  })

  it('[A13] a token with the right to write does it; a service, or one for some projects, does not', async () => {
    const here = await signIn()
    const make = async (body: object): Promise<Who> =>
      (await (await request('POST', '/api/keys', here, { name: 'x', ...body })).json()) as Who
    const read = await make({ kind: 'pat', scopes: ['read'] })
    const some = await make({ kind: 'pat', projects: ['default'] })
    const service = await make({ kind: 'svc' })
    for (const { token } of [read, some, service]) {
      const answer = await request('POST', '/api/auth/sign-out-everywhere', { token: token ?? '' }, {})
      expect(answer.status).toBe(403)
    }
    expect(await status(here)).toBe(200)
    expect((await request('POST', '/api/auth/sign-out-everywhere', { token: live.token }, {})).status).toBe(204)
    expect([await status(here), await status(live)]).toEqual([401, 200])
  })

  it('[A13] the list says in which browser, since when and which is this one; one alone can be ended', async () => {
    const [here, there] = [await signIn(), await signIn(phone)]
    const browsers = async (): Promise<KeyRow[]> => (await keysOf(here)).filter(({ kind }) => kind === 'ses')
    const known = (await browsers()).filter(({ name }) => name !== 'browser')
    expect(Object.fromEntries(known.map(({ name, current }) => [name, current]))).toEqual({
      'Firefox on Linux': true,
      'Safari on iPhone': false,
    })
    await waitFor(
      async () => (await browsers()).some(({ current, lastUsedFrom }) => current && lastUsedFrom !== null),
      {
        what: 'the use that is noted',
      },
    )
    const theirs = known.find(({ current }) => !current)
    const listening = await listen(there)
    expect((await request('DELETE', `/api/keys/${theirs?.key}`, here)).status).toBe(204)
    await listening.ends()
    expect([await status(here), await status(there)]).toEqual([200, 401])
  })
})

describe('a new password', () => {
  it('[T12] [A13] ends the others on sockets, streams and polls as well, and tokens stay', async () => {
    const [here, there] = [await signIn(), await signIn(phone)]
    const listening = await listen(there)
    const body = { current: owner.password, next: 'seven grey herons over the weir' }
    const changed = await request('POST', '/api/auth/password', here, body)
    expect(changed.status).toBe(200)
    await listening.ends()
    const renewed = { cookie: changed.headers.getSetCookie()[0]?.split(';', 1)[0] ?? '' }
    expect([await status(renewed), await status(here), await status(there), await status(live)]).toEqual([
      200, 401, 401, 200,
    ])
    const known = await keysOf(renewed)
    expect(known.filter(({ kind }) => kind === 'ses')).toHaveLength(1)
  })

  it('[T12] a sign-in with the old one that is under way does not outlive it', async () => {
    const here = await signIn()
    const body = { current: owner.password, next: 'seven grey herons over the weir' }
    // The hash of the old one is being compared while the new one is written.
    const [changed, ...racing] = await Promise.all([
      request('POST', '/api/auth/password', here, body),
      ...Array.from({ length: 3 }, () => request('POST', '/api/auth/sign-in', {}, owner)),
    ])
    expect(changed.status).toBe(200)
    for (const answer of racing) {
      const [cookie = ''] = answer.headers.getSetCookie()[0]?.split(';', 1) ?? []
      if (answer.status === 200) expect(await status({ cookie })).toBe(401)
    }
  })
})
