import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { headerOf, type RawResponse, sendRawRequest } from '@hotline/testing/raw-http'
import {
  type RawWebSocket,
  requestUpgrade,
  type UpgradeOptions,
  type UpgradeOutcome,
} from '@hotline/testing/raw-websocket'
import { opcodes } from '@hotline/testing/websocket-frame'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readConfig } from '../../src/config/read-config.ts'
import { type RunningServer, startServer } from '../../src/start-server.ts'
import { type Answer, answerOf, type CallOptions, owner, rawBytes } from './http-stack.ts'

/** A whole server, so that the wiring of sockets to access is what is tried. */
let dir: TempDir
let server: RunningServer
let port: number
let cookie: string

async function call(method: string, path: string, more: CallOptions = {}): Promise<Answer> {
  const headers: (readonly [string, string])[] = [...(more.headers ?? [])]
  if (more.cookie !== undefined) headers.push(['Cookie', more.cookie], ['Origin', more.origin ?? server.url])
  if (more.token !== undefined) headers.push(['Authorization', `Bearer ${more.token}`])
  const body = more.body === undefined ? undefined : JSON.stringify(more.body)
  if (body !== undefined) headers.push(['Content-Type', 'application/json'])
  const bytes = rawBytes({ method, target: path, headers, ...(body === undefined ? {} : { body }) }, port)
  return answerOf(await sendRawRequest({ port }, bytes, { method }))
}

beforeAll(async () => {
  dir = await openTempDir()
  const config = readConfig({
    HOTLINE_DATA_DIR: join(dir.path, 'data'),
    HOTLINE_PORT: '0',
    HOTLINE_LISTEN: '127.0.0.1',
  })
  server = await startServer(config, join(dir.path, 'no-page'))
  port = Number(new URL(server.url).port)
  const code = server.bootstrap?.split('=')[1] ?? ''
  cookie = (await call('POST', '/api/auth/bootstrap', { body: { code, ...owner } })).cookie ?? ''
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await dir.remove()
})

const localhost = (): readonly [string, string] => ['Host', `localhost:${port}`]

function upgrade(options: Partial<UpgradeOptions> = {}): Promise<UpgradeOutcome> {
  const { headers = [], ...rest } = options
  const hasHost = headers.some(([name]) => name === 'Host')
  return requestUpgrade({
    port,
    path: '/api/ws',
    protocols: ['hotline.v1'],
    headers: hasHost ? headers : [localhost(), ...headers],
    ...rest,
  })
}

async function refusal(options: Partial<UpgradeOptions>): Promise<{ status: number; code: string }> {
  const outcome = await upgrade(options)
  if (outcome.kind === 'open') {
    await outcome.socket[Symbol.asyncDispose]()
    return { status: 101, code: '' }
  }
  const { status, body } = outcome.response
  expect(headerOf(outcome.response, 'connection')?.toLowerCase()).toBe('close')
  return { status, code: (JSON.parse(body.toString('utf8')) as { code: string }).code }
}

async function open(options: Partial<UpgradeOptions> = {}): Promise<RawWebSocket> {
  const outcome = await upgrade(options)
  if (outcome.kind === 'refused') throw new Error(`refused: ${outcome.response.body.toString()}`)
  return outcome.socket
}

async function hello(socket: RawWebSocket, frame: object): Promise<{ t: string; [member: string]: unknown }> {
  await socket.send({ opcode: opcodes.text, payload: JSON.stringify({ t: 'hello', ...frame }) })
  return JSON.parse((await socket.nextFrame()).payload.toString('utf8')) as { t: string }
}

const ticketFor = async (who: CallOptions): Promise<string> =>
  (await call('POST', '/api/auth/ticket', who)).body.ticket as string

/** The code of the close frame, which must come before any heartbeat; frames before it are read over. */
async function closeCode(socket: RawWebSocket): Promise<number> {
  for (;;) {
    const { opcode, payload } = await socket.nextFrame({ deadlineMs: 10_000 })
    if (opcode === opcodes.close) return payload.readUInt16BE(0)
  }
}

describe('upgrades', () => {
  const origin = (value: string): Partial<UpgradeOptions> => ({ headers: [localhost(), ['Origin', value]] })

  it.each<[string, () => Partial<UpgradeOptions>, number[]]>([
    ['[T02] an absolute target', () => ({ path: 'http://evil.example/api/ws' }), [400]],
    ['[W02] a foreign Origin', () => origin('http://evil.example'), [403]],
    ['[W02] Origin null', () => origin('null'), [403]],
    ['[W02] a lookalike', () => origin(`http://localhost:${port}.evil.io`), [403]],
    ['[W02] another name of loopback', () => origin(`http://127.0.0.1:${port}`), [403]],
    ['[W03] an ordinary route', () => ({ path: '/api/me' }), [400, 404, 426]],
    ['[W03] the page', () => ({ path: '/' }), [400, 404, 426]],
    ['[W03] another method', () => ({ method: 'POST' }), [400, 404]],
    ['[W04] an unknown route', () => ({ path: '/api/nothing' }), [404]],
    ['[W05] another sub-protocol', () => ({ protocols: ['hotline.v9'] }), [426]],
    ['[W05] a wrong version', () => ({ headers: [localhost(), ['Sec-WebSocket-Version', '7']] }), [400, 426]],
    [
      '[T03] a forged token in the header',
      () => ({ headers: [localhost(), ['Authorization', 'Bearer hl_pat_x']] }),
      [401],
    ],
    ['[W05] a short key', () => ({ headers: [localhost(), ['Sec-WebSocket-Key', 'AAAA']] }), [400]],
    ['[T03] a token in the address', () => ({ path: `/api/ws?token=x` }), [101]],
  ])('%s', async (_title, options, statuses) => {
    expect(statuses).toContain((await refusal(options())).status)
  })
})

describe('names that are not ours', () => {
  const token = (): string => readFileSync(join(dir.path, 'data', 'cli-token'), 'utf8').trim()
  /** An upgrade that lacks nothing but the right Host: with a token and everything else it would be let in. */
  const upgradeAt = (hosts: readonly string[], version: '1.0' | '1.1' = '1.1'): Promise<RawResponse> => {
    const lines = [
      `GET /api/ws HTTP/${version}`,
      ...hosts.map((host) => `Host: ${host}`),
      `Authorization: Bearer ${token()}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      'Sec-WebSocket-Protocol: hotline.v1',
    ]
    return sendRawRequest({ port }, Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'))
  }

  it('[T02] [H08] a socket is opened under our name, over HTTP/1.1, and with that alone', async () => {
    expect((await upgradeAt([`localhost:${port}`])).status).toBe(101)
  })

  it.each<[what: string, hosts: () => string[], status: number]>([
    ['no Host', () => [], 400],
    ['an empty Host', () => [''], 421],
    ['two Hosts, good and evil', () => [`localhost:${port}`, `evil.example:${port}`], 400],
    ['two Hosts, evil and good', () => [`evil.example:${port}`, `localhost:${port}`], 400],
    ['two equal Hosts', () => [`localhost:${port}`, `localhost:${port}`], 400],
    ['two Hosts in one', () => [`localhost:${port}, evil.example:${port}`], 421],
    ['a foreign Host', () => [`evil.example:${port}`], 421],
    ['the address of every interface', () => [`0.0.0.0:${port}`], 421],
    ['the address of every interface, IPv6', () => [`[::]:${port}`], 421],
    ['a trailing dot', () => [`localhost.:${port}`], 421],
    ['a dot in front', () => [`.localhost:${port}`], 421],
    ['a user', () => [`user@localhost:${port}`], 421],
    ['ours as the user of another', () => [`localhost:${port}@evil.example`], 421],
    ['a name after the port', () => [`localhost:${port}.evil`], 421],
    ['a name after ours', () => [`localhost.evil.example:${port}`], 421],
    ['another port', () => [`localhost:${port + 1}`], 421],
    ['no port', () => ['localhost'], 421],
    ['a port in another spelling', () => [`localhost:0${port}`], 421],
    ['upper case', () => [`LOCALHOST:${port}`], 421],
    ['another spelling of loopback', () => [`127.1:${port}`], 421],
    ['loopback as IPv6 that is mapped', () => [`[::ffff:127.0.0.1]:${port}`], 421],
    ['a path', () => [`localhost:${port}/`], 421],
  ])('[T02] %s', async (_what, hosts, status) => {
    const response = await upgradeAt(hosts())
    expect(response.status).toBe(status)
    expect(headerOf(response, 'connection')).toBe('close')
  })

  it.each<[what: string, hosts: () => string[]]>([
    ['the expected Host', () => [`localhost:${port}`]],
    ['no Host', () => []],
    ['a foreign Host', () => ['evil.example']],
  ])('[H08] an upgrade over HTTP/1.0 with %s', async (_what, hosts) => {
    const response = await upgradeAt(hosts(), '1.0')
    expect([response.status, JSON.parse(response.body.toString('utf8'))]).toMatchObject([
      400,
      { code: 'invalid_request' },
    ])
  })
})

describe('entering', () => {
  it('[T03] a cookie alone never opens a socket', async () => {
    const headers = [localhost(), ['Origin', server.url], ['Cookie', cookie]] as const
    await using socket = await open({ headers })
    const said = await hello(socket, {})
    expect(said).toMatchObject({ t: 'problem', problem: { code: 'unauthenticated' } })
    expect((await socket.waitForEnd()).code).toBe(4401)
  })

  it('[T03] a ticket opens one socket, once, for the origin that asked', async () => {
    const own = [localhost(), ['Origin', server.url]] as const
    const ticket = await ticketFor({ cookie })
    await using first = await open({ headers: own })
    expect(await hello(first, { ticket })).toMatchObject({ t: 'welcome', principal: { name: owner.name, admin: true } })
    await using second = await open({ headers: own })
    expect(await hello(second, { ticket })).toMatchObject({ t: 'problem', problem: { code: 'ticket_invalid' } })
    expect((await second.waitForEnd()).code).toBe(4401)
    // Without the origin that it was made for it is no ticket, and is used up.
    const other = await ticketFor({ cookie })
    await using third = await open()
    expect(await hello(third, { ticket: other })).toMatchObject({ problem: { code: 'ticket_invalid' } })
    await using fourth = await open({ headers: own })
    expect(await hello(fourth, { ticket: other })).toMatchObject({ problem: { code: 'ticket_invalid' } })
  })

  it('[T03] [W29] of two sockets with one ticket at once, one enters', async () => {
    const headers = [localhost(), ['Origin', server.url]] as const
    const ticket = await ticketFor({ cookie })
    await using one = await open({ headers })
    await using two = await open({ headers })
    const said = await Promise.all([hello(one, { ticket }), hello(two, { ticket })])
    expect(said.map(({ t }) => t).toSorted()).toEqual(['problem', 'welcome'])
  })

  it('[T03] a ticket of a session that was signed out opens nothing', async () => {
    const other = (await call('POST', '/api/auth/sign-in', { body: owner })).cookie ?? ''
    const ticket = await ticketFor({ cookie: other })
    await call('POST', '/api/auth/sign-out', { cookie: other })
    await using socket = await open({ headers: [localhost(), ['Origin', server.url]] })
    expect(await hello(socket, { ticket })).toMatchObject({ problem: { code: 'ticket_invalid' } })
  })

  it('[T16] a token enters by the header and by the first frame; a session never does', async () => {
    const token = readFileSync(join(dir.path, 'data', 'cli-token'), 'utf8').trim()
    await using byFrame = await open()
    const first = await hello(byFrame, { token })
    await using byHeader = await open({ headers: [localhost(), ['Authorization', `Bearer ${token}`]] })
    const second = JSON.parse((await byHeader.nextFrame()).payload.toString('utf8')) as typeof first
    expect(first).toMatchObject({ t: 'welcome' })
    expect(second['principal']).toEqual(first['principal'])
    await using bySession = await open()
    expect(await hello(bySession, { token: cookie.split('=')[1] })).toMatchObject({
      problem: { code: 'unauthenticated' },
    })
  })
})

describe('rights that end', () => {
  async function key(name: string): Promise<{ key: string; token: string }> {
    return (await call('POST', '/api/keys', { cookie, body: { kind: 'pat', name } })).body as {
      key: string
      token: string
    }
  }

  it('[T12] a revoked key ends its sockets at once, and no other', async () => {
    const one = await key('one')
    const other = await key('other')
    await using dead = await open()
    await using alive = await open()
    await hello(dead, { token: one.token })
    await hello(alive, { token: other.token })
    expect((await call('DELETE', `/api/keys/${one.key}`, { cookie })).status).toBe(204)
    expect(await closeCode(dead)).toBe(4401)
    expect((await call('GET', '/api/me', { token: one.token })).status).toBe(401)
    await alive.send({ opcode: opcodes.text, payload: JSON.stringify({ t: 'ping' }) })
    expect(JSON.parse((await alive.nextFrame()).payload.toString('utf8'))).toEqual({ t: 'pong' })
  })

  it('[T12] signing out and a new password end the sockets of the sessions that are over', async () => {
    const headers = [localhost(), ['Origin', server.url]] as const
    const browser = (await call('POST', '/api/auth/sign-in', { body: owner })).cookie ?? ''
    await using signedOut = await open({ headers })
    await hello(signedOut, { ticket: await ticketFor({ cookie: browser }) })
    await call('POST', '/api/auth/sign-out', { cookie: browser })
    expect(await closeCode(signedOut)).toBe(4401)

    await using stolen = await open({ headers })
    await hello(stolen, { ticket: await ticketFor({ cookie }) })
    const next = 'seven grey herons over the weir'
    const body = { current: owner.password, next }
    const changed = await call('POST', '/api/auth/password', { cookie, body })
    expect(changed.status).toBe(200)
    expect(await closeCode(stolen)).toBe(4401)
    cookie = changed.cookie ?? ''
    await call('POST', '/api/auth/password', { cookie, body: { current: next, next: owner.password } }).then((back) => {
      cookie = back.cookie ?? ''
    })
    expect((await call('GET', '/api/me', { cookie })).status).toBe(200)
  })
})
