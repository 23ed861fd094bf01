import { uuidV7 } from '@hotline/client/uuid'
import type { Role } from '@hotline/protocol/actor'
import type { Problem } from '@hotline/protocol/error'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { type LiveServer, startLiveServer } from '@hotline/testing/live-server'
import type { RawWebSocket } from '@hotline/testing/raw-websocket'
import { waitFor } from '@hotline/testing/wait-for'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { owner } from './http-stack.ts'
import { closing, enterRaw, heard, say, type Said } from '@hotline/testing/raw-conversation'

/** What is not told by itself is noticed at a heartbeat, after 15 s. */
const atOnceMs = 10_000

let server: LiveServer
let port: number
let runner: HandRunner
let cookie: string

beforeAll(async () => {
  server = await startLiveServer()
  port = Number(new URL(server.url).port)
  runner = await server.startSession()
  cookie = await signIn(owner.name, owner.password)
})
afterAll(() => server[Symbol.asyncDispose]())

interface Answer {
  status: number
  body: { [member: string]: unknown }
  cookie: string | undefined
}

async function call(method: string, path: string, who: { cookie?: string; token?: string }, body?: object) {
  const response = await fetch(new URL(path, server.url), {
    method,
    headers: {
      origin: server.url,
      ...(who.cookie === undefined ? {} : { cookie: who.cookie }),
      ...(who.token === undefined ? {} : { authorization: `Bearer ${who.token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const answer: Answer = {
    status: response.status,
    body: text === '' ? {} : (JSON.parse(text) as Answer['body']),
    cookie: response.headers.getSetCookie()[0]?.split(';', 1)[0],
  }
  return answer
}

async function signIn(name: string, password: string): Promise<string> {
  const answer = await call('POST', '/api/auth/sign-in', {}, { name, password })
  expect(answer.status).toBe(200)
  return answer.cookie ?? ''
}

async function command(type: string, data: object, stream = 'project:default'): Promise<void> {
  const answer = await call('POST', '/api/commands', { cookie }, { id: uuidV7(), stream, type, data })
  expect(answer).toMatchObject({ status: 200 })
}

interface Colleague {
  account: string
  name: string
  password: string
  cookie: string
  token: string
}
let colleagues = 0

/** Somebody else with a role on the project, signed in, with a personal token; an admin of the server creates projects. */
async function colleague(role: Role, rank: 'member' | 'admin' = 'member'): Promise<Colleague> {
  const name = `mel${(colleagues += 1)}`
  const password = 'nine slow barges under the bridge'
  const made = await call('POST', '/api/accounts', { cookie }, { name, password, admin: rank === 'admin' })
  expect(made.status).toBe(201)
  const account = made.body['account'] as string
  await command('member.add', { account, role })
  const own = await signIn(name, password)
  const key = await call('POST', '/api/keys', { cookie: own }, { kind: 'pat', name: 'here' })
  return { account, name, password, cookie: own, token: key.body['token'] as string }
}

async function follow(socket: RawWebSocket): Promise<void> {
  await say(socket, { t: 'follow', stream: runner.stream, after: 'now' })
  await heard(socket, ({ t }) => t === 'caught_up')
}

/** Says something that everybody who follows hears. */
const rename = (title: string): Promise<void> => command('session.rename', { title }, runner.stream)

async function decideOn(socket: RawWebSocket): Promise<Said> {
  const id = uuidV7()
  const data = { approval: 'none', digest: 'a'.repeat(64), verdict: 'allow' }
  await say(socket, { t: 'command', id, stream: runner.stream, type: 'approval.decide', data })
  return heard(socket, (frame) => frame['id'] === id, atOnceMs)
}

describe('membership', () => {
  it('[T12] [W25] who is removed from a project is told so, and hears nothing of it any more', async () => {
    const mel = await colleague('operator')
    await using socket = await enterRaw(port, mel.token)
    await follow(socket)
    await command('member.remove', { account: mel.account })
    const told = await heard(socket, ({ t }) => t === 'unfollowed', atOnceMs)
    expect(told).toMatchObject({ stream: runner.stream, problem: { code: 'not_found' } })
    await rename('after the removal')
    await say(socket, { t: 'ping' })
    const frames: string[] = []
    await heard(socket, ({ t }) => frames.push(t) > 0 && t === 'pong')
    expect(frames).toEqual(['pong'])
    expect((await call('GET', `/api/sessions/${runner.session}`, mel)).status).toBe(404)
  })

  it('[T12] a lower role holds at once, on a socket that is open and for the next request', async () => {
    const mel = await colleague('approver')
    await using socket = await enterRaw(port, mel.token)
    await follow(socket)
    // Mel may decide; there is no such approval.
    expect(await decideOn(socket)).toMatchObject({ t: 'refused', problem: { code: 'not_found' } })
    await command('member.change', { account: mel.account, role: 'viewer' })
    expect(await decideOn(socket)).toMatchObject({ t: 'refused', problem: { code: 'forbidden', role: 'viewer' } })
    // A viewer goes on reading.
    await rename('for viewers too')
    await heard(socket, ({ t }) => t === 'events', atOnceMs)
  })
})

describe('credentials', () => {
  it('[W25] a key that is revoked while its socket sends carries out nothing after the close was said', async () => {
    const mel = await colleague('operator')
    await using socket = await enterRaw(port, mel.token)
    const keys = await call('GET', '/api/keys', mel)
    const { key } = (keys.body['keys'] as { key: string; kind: string }[]).find(({ kind }) => kind === 'pat') ?? {}
    await call('DELETE', `/api/keys/${key}`, { cookie: mel.cookie })
    const end = await closing(socket, atOnceMs)
    expect(end).toMatchObject({ code: 4401, problem: { code: 'unauthenticated' } satisfies Partial<Problem> })
    // The connection is still there until its close is answered; nothing that it says counts.
    const data = { text: 'too late' }
    await say(socket, { t: 'command', id: uuidV7(), stream: runner.stream, type: 'message.send', data })
    await rename('a moment later')
    const posted = (await server.stored(runner.session)).filter(({ type }) => type === 'message.posted')
    expect(posted).toEqual([])
  })
})

describe('the password', () => {
  it('[A10] [T16] is needed over a socket as over HTTP, and counts on one that is open when it is said', async () => {
    const mel = await colleague('viewer')
    await using socket = await enterRaw(port, server.token)
    const change = async (role: Role): Promise<Said> => {
      const id = uuidV7()
      const data = { account: mel.account, role }
      await say(socket, { t: 'command', id, stream: 'project:default', type: 'member.change', data })
      return heard(socket, (frame) => frame['id'] === id)
    }
    expect(await change('operator')).toMatchObject({ t: 'refused', problem: { code: 'password_needed' } })
    const said = await call('POST', '/api/auth/confirm', { token: server.token }, { password: owner.password })
    expect(said.status).toBe(204)
    expect(await change('operator')).toMatchObject({ t: 'accepted' })
    // With another password the socket of the token stays, and what it may do asks for the new one.
    const next = 'seven grey herons over the weir'
    const [first, second] = [owner.password, next]
    const changed = await call('POST', '/api/auth/password', { cookie }, { current: first, next: second })
    cookie = changed.cookie ?? ''
    expect(await change('viewer')).toMatchObject({ t: 'refused', problem: { code: 'password_needed' } })
    await call('POST', '/api/auth/confirm', { token: server.token }, { password: next })
    expect(await change('viewer')).toMatchObject({ t: 'accepted' })
    const back = await call('POST', '/api/auth/password', { cookie }, { current: second, next: first })
    cookie = back.cookie ?? ''
  })
})

describe('a machine', () => {
  it('[T12] whose key is revoked is cut off at once', async () => {
    const made = await call('POST', '/api/keys', { cookie }, { kind: 'run', name: 'another machine' })
    const token = made.body['token'] as string
    await using socket = await enterRaw(port, token)
    expect((await call('DELETE', `/api/keys/${made.body['key'] as string}`, { cookie })).status).toBe(204)
    expect(await closing(socket, atOnceMs)).toMatchObject({ code: 4401, problem: { code: 'unauthenticated' } })
    expect((await call('GET', '/api/runner/work', { token })).status).toBe(401)
    await expect(enterRaw(port, token)).rejects.toThrow('unauthenticated')
  })
})

describe('a disabled account', () => {
  const disable = (account: string, by = cookie, body: object = {}): Promise<Answer> =>
    call('POST', `/api/accounts/${account}/disable`, { cookie: by }, body)
  const enable = (account: string): Promise<Answer> => call('POST', `/api/accounts/${account}/enable`, { cookie })
  async function admin(): Promise<{ account: string; cookie: string }> {
    const name = `boss${(colleagues += 1)}`
    const password = 'two green lanterns on the quay'
    const made = await call('POST', '/api/accounts', { cookie }, { name, password, admin: true })
    return { account: made.body['account'] as string, cookie: await signIn(name, password) }
  }

  it('[T12] [W25] loses every socket, session and key at once, and nobody else does', async () => {
    const mel = await colleague('operator')
    const other = await colleague('operator')
    const service = await call('POST', '/api/keys', { cookie: mel.cookie }, { kind: 'svc', name: 'ci' })
    const ticket = await call('POST', '/api/auth/ticket', { cookie: mel.cookie })
    const left = await call('POST', '/api/auth/ticket', { cookie: mel.cookie })
    const headers = [
      ['Host', `localhost:${port}`],
      ['Origin', server.url],
    ] as const
    const inBrowser = { ticket: ticket.body['ticket'] as string }
    const token = service.body['token'] as string
    const sockets = [
      await enterRaw(port, mel.token),
      await enterRaw(port, token),
      await enterRaw(port, inBrowser, headers),
    ]
    await using bystander = await enterRaw(port, other.token)
    for (const socket of sockets) await follow(socket)

    expect(await disable(mel.account)).toMatchObject({ status: 200, body: { account: mel.account, disabled: true } })
    for (const socket of sockets) {
      expect(await closing(socket, atOnceMs)).toMatchObject({ code: 4401, problem: { code: 'unauthenticated' } })
      await socket[Symbol.asyncDispose]()
    }
    for (const who of [{ cookie: mel.cookie }, { token: mel.token }, { token }]) {
      expect(await call('GET', '/api/me', who)).toMatchObject({ status: 401 })
    }
    const late = enterRaw(port, { ticket: left.body['ticket'] as string }, headers)
    await expect(late).rejects.toThrow('ticket_invalid')
    const again = await call('POST', '/api/auth/sign-in', {}, { name: mel.name, password: mel.password })
    expect(again).toMatchObject({ status: 401, body: { code: 'wrong_credentials' } })
    await say(bystander, { t: 'ping' })
    await heard(bystander, ({ t }) => t === 'pong')
    expect((await call('GET', '/api/me', other)).status).toBe(200)

    // Enabled again, the person signs in anew: what was open or made before stays dead.
    expect(await enable(mel.account)).toMatchObject({ status: 200, body: { disabled: false } })
    for (const who of [{ cookie: mel.cookie }, { token: mel.token }, { token }]) {
      expect(await call('GET', '/api/me', who)).toMatchObject({ status: 401 })
    }
    expect((await call('GET', '/api/me', { cookie: await signIn(mel.name, mel.password) })).status).toBe(200)
  })

  it('[T12] only an admin of the server disables and enables, and what is not there is not found', async () => {
    const mel = await colleague('admin')
    for (const verb of ['disable', 'enable']) {
      const own = await call('POST', `/api/accounts/${mel.account}/${verb}`, { cookie: mel.cookie }, {})
      expect(own).toMatchObject({ status: 403, body: { code: 'forbidden' } })
      const none = await call('POST', `/api/accounts/nobody/${verb}`, { cookie }, {})
      expect(none).toMatchObject({ status: 404, body: { code: 'not_found' } })
    }
  })

  it('[T12] twice is once, and the audit has one line for it', async () => {
    const mel = await colleague('viewer')
    expect([await disable(mel.account), await disable(mel.account)]).toMatchObject([{ status: 200 }, { status: 200 }])
    expect([await enable(mel.account), await enable(mel.account)]).toMatchObject([{ status: 200 }, { status: 200 }])
    const link = server.link()
    const lines: string[] = []
    link.follow('server:main', '0', {
      events: (events) => {
        for (const { type, data } of events) if (data['account'] === mel.account) lines.push(type)
      },
    })
    await waitFor(() => lines.includes('account.enabled'), { what: 'the audit' })
    expect(lines.filter((type) => type.endsWith('abled'))).toEqual(['account.disabled', 'account.enabled'])
  })

  it('[T12] the last admin of the server is not disabled, however many try at once', async () => {
    // A server of their own: who loses here loses the keys of that machine for good.
    const outer = { server, port, cookie }
    await using own = await startLiveServer()
    server = own
    port = Number(new URL(own.url).port)
    try {
      cookie = await signIn(owner.name, owner.password)
      const me = (await call('GET', '/api/me', { cookie })).body['id'] as string
      expect(await disable(me)).toMatchObject({ status: 409, body: { code: 'last_owner' } })
      expect(await disable(me, cookie, { orphans: 'accept' })).toMatchObject({ status: 409 })
      const boss = await admin()
      const both = await Promise.all([
        disable(me, boss.cookie, { orphans: 'accept' }),
        disable(boss.account, cookie, { orphans: 'accept' }),
      ])
      // The other one comes too late to be anybody, or is the last one by now.
      const [won, lost] = both.map(({ status }) => status).toSorted((one, other) => one - other)
      expect(won).toBe(200)
      expect([401, 409]).toContain(lost)
      if (both[0].status === 200) {
        expect((await call('POST', `/api/accounts/${me}/enable`, { cookie: boss.cookie })).status).toBe(200)
        cookie = await signIn(owner.name, owner.password)
        expect((await disable(boss.account)).status).toBe(200)
      }
    } finally {
      ;({ server, port, cookie } = outer)
    }
  })

  it('[T12] the only owner of a project is disabled only by somebody who says that this is meant', async () => {
    const mel = await colleague('owner', 'admin')
    const project = `project:of-${mel.name}`
    const create = { id: uuidV7(), stream: project, type: 'project.create', data: { name: 'Alone' } }
    expect((await call('POST', '/api/commands', mel, create)).status).toBe(200)
    const refused = await disable(mel.account)
    expect(refused).toMatchObject({ status: 409, body: { code: 'last_owner', projects: [`of-${mel.name}`] } })
    expect((await call('GET', '/api/me', mel)).status).toBe(200)
    expect(await disable(mel.account, cookie, { orphans: 'accept' })).toMatchObject({ status: 200 })
  })
  it('[T12] a project keeps an owner who can sign in: who is disabled is none, however many go at once', async () => {
    const mel = await colleague('owner', 'admin')
    const kim = await colleague('owner')
    const stream = `project:of-${mel.name}`
    const send = (type: string, data: object, id = uuidV7()): Promise<Answer> =>
      call('POST', '/api/commands', mel, { id, stream, type, data })
    expect((await call('POST', '/api/auth/confirm', mel, { password: mel.password })).status).toBe(204)
    expect((await send('project.create', { name: 'Two' })).status).toBe(200)
    expect((await send('member.add', { account: kim.account, role: 'owner' })).status).toBe(200)
    expect((await disable(kim.account)).status).toBe(200)
    const last = { status: 409, body: { code: 'last_owner' } }
    expect(await send('member.remove', { account: mel.account })).toMatchObject(last)
    expect(await send('member.change', { account: mel.account, role: 'viewer' })).toMatchObject(last)
    // Who is disabled may be taken off the list by the one who stays.
    expect((await send('member.change', { account: kim.account, role: 'admin' })).status).toBe(200)
    expect((await send('member.change', { account: kim.account, role: 'owner' })).status).toBe(200)
    expect((await enable(kim.account)).status).toBe(200)
    const both = await Promise.all([disable(kim.account), send('member.remove', { account: mel.account })])
    expect(both.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([200, 409])
    expect(both.find(({ status }) => status === 409)?.body).toMatchObject({ code: 'last_owner' })
  })
})
