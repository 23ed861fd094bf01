import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Content } from '@hotline/protocol/http'
import { limits } from '@hotline/protocol/limits'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import { sha256 } from '@hotline/testing/sha256'
import { uuidV7 } from '@hotline/client/uuid'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { owner } from './http-stack.ts'

let live: LiveServer
beforeAll(async () => {
  live = await startLiveServer()
})
afterAll(() => live[Symbol.asyncDispose]())

const runnerKey = (): string => readFileSync(join(live.dataDir, 'runner-key'), 'utf8').trim()

async function call(
  method: 'GET' | 'PUT',
  session: string,
  digest: string,
  more: { text?: string; token?: string } = {},
): Promise<{ status: number; value: unknown }> {
  const { text, token = live.token } = more
  const response = await fetch(`${live.url}/api/sessions/${session}/content/${digest}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(text === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(text === undefined ? {} : { body: JSON.stringify({ text }) }),
  })
  const answer = await response.text()
  return { status: response.status, value: answer === '' ? undefined : JSON.parse(answer) }
}

interface Sent {
  status: number
  value: Record<string, unknown>
  cookie: string
}

async function send(
  method: string,
  path: string,
  who: { cookie?: string; token?: string },
  body: object,
): Promise<Sent> {
  const response = await fetch(new URL(path, live.url), {
    method,
    headers: {
      origin: live.url,
      'content-type': 'application/json',
      ...(who.cookie === undefined ? {} : { cookie: who.cookie }),
      ...(who.token === undefined ? {} : { authorization: `Bearer ${who.token}` }),
    },
    body: JSON.stringify(body),
  })
  const value = (await response.json()) as Record<string, unknown>
  return { status: response.status, value, cookie: response.headers.getSetCookie()[0]?.split(';', 1)[0] ?? '' }
}

async function signIn(who: { name: string; password: string }): Promise<string> {
  return (await send('POST', '/api/auth/sign-in', {}, who)).cookie
}

/** Another admin of the server with a project of their own, `of-<name>`, and a token. */
async function stranger(name: string): Promise<{ token: string }> {
  const password = 'nine slow barges under the bridge'
  const cookie = await signIn(owner)
  expect((await send('POST', '/api/accounts', { cookie }, { name, password, admin: true })).status).toBe(201)
  const own = await signIn({ name, password })
  const create = { id: uuidV7(), stream: `project:of-${name}`, type: 'project.create', data: { name } }
  expect((await send('POST', '/api/commands', { cookie: own }, create)).status).toBe(200)
  const made = await send('POST', '/api/keys', { cookie: own }, { kind: 'pat', name: 'x' })
  return { token: made.value['token'] as string }
}

test('[P7] what a runner put beside a session is read whole by whoever may read it', async () => {
  const { session } = await live.startSession()
  // As many bytes of JSON as a body of the greatest content can have.
  const text = '\u0001'.repeat(limits.contentBytes - 7) + 'ünd 🂡'.slice(0, 3)
  const { digest } = await live.putContent(session, text)
  const got = await call('GET', session, digest)
  expect(got.status).toBe(200)
  expect((got.value as Content).text === text).toBe(true)
})

test('[P7] what is not its digest, too long, or not from a runner is refused, and nothing is kept', async () => {
  const { session } = await live.startSession()
  const refused = async (digest: string, more: { text?: string; token?: string }): Promise<unknown> => {
    const { status } = await call('PUT', session, digest, more)
    return [status, (await call('GET', session, digest)).status]
  }
  const long = 'x'.repeat(limits.contentBytes + 1)
  expect(await refused(sha256('a'), { text: 'b', token: runnerKey() })).toEqual([400, 404])
  expect(await refused(sha256(long), { text: long, token: runnerKey() })).toEqual([413, 404])
  expect(await refused(sha256('c'), { text: 'c' })).toEqual([403, 404])
  expect((await call('PUT', session, '../../x', { text: 'x', token: runnerKey() })).status).toBe(404)
  expect((await call('PUT', session, 'A'.repeat(64), { text: 'x', token: runnerKey() })).status).toBe(400)
  expect((await call('PUT', 'nobody', sha256('d'), { text: 'd', token: runnerKey() })).status).toBe(404)
})

test('[X4] what lies in another project, or nowhere, looks the same', async () => {
  const { session } = await live.startSession()
  const { digest } = await live.putContent(session, 'for us alone')
  expect((await call('GET', 'another', digest)).status).toBe(404)
  const nowhere = await call('GET', session, sha256('never put'))
  expect(nowhere.status).toBe(404)
  expect((await call('GET', session, digest)).status).toBe(200)

  // Somebody with a project of their own, who knows the session and the digest.
  const mallory = await stranger('mallory')
  expect(await call('GET', session, digest, { token: mallory.token })).toEqual(nowhere)
  expect(await call('GET', session, sha256('never put'), { token: mallory.token })).toEqual(nowhere)
  // A token of ours that may not read, and one for another project.
  const create = { id: uuidV7(), stream: 'project:elsewhere', type: 'project.create', data: { name: 'Elsewhere' } }
  expect((await send('POST', '/api/commands', { token: live.token }, create)).status).toBe(200)
  for (const more of [{ scopes: ['write'] }, { projects: ['elsewhere'] }]) {
    const made = await send('POST', '/api/keys', { cookie: await signIn(owner) }, { kind: 'pat', name: 'x', ...more })
    expect(made.status).toBe(201)
    expect(await call('GET', session, digest, { token: made.value['token'] as string })).toEqual(nowhere)
  }
})
