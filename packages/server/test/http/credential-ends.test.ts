import { uuidV7 } from '@hotline/client/uuid'
import { limits } from '@hotline/protocol/limits'
import { type HandClock, handClock } from '@hotline/testing/hand-clock'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Feeds } from '../../src/feed/feeds.ts'
import { Connections } from '../../src/gate/connections.ts'
import { Watchers } from '../../src/gate/watchers.ts'
import type { RoutePorts } from '../../src/http/register-routes.ts'
import { openInteractDesk } from '../../src/http/interact/interact-desk.ts'
import { openUpdateDesk } from '../../src/http/task-updates/update-desk.ts'
import { openAgentLines } from '../../src/http/agent-line/open-agent-lines.ts'
import { openPermissionDesk } from '../../src/http/permissions/permission-desk.ts'
import { openWebSocketDoor, type WebSocketDoor } from '../../src/http/ws.ts'
import { newTraffic } from '../../src/machine/traffic.ts'
import { type HttpStack, openHttpStack } from './http-stack.ts'
import { closing, enterRaw, heard, roundTrip, say, type Said } from '@hotline/testing/raw-conversation'

/** The real doors and access with a clock that is moved by hand, so that a credential ends while somebody watches. */
const hourMs = 60 * 60 * 1_000
let clock: HandClock
let stack: HttpStack
let feeds: Feeds
let connections: Connections
let door: WebSocketDoor
let cookie: string
let faults: unknown[]
/** Held by a test between the proof and the entry. */
let welcome: () => Promise<void>

beforeEach(async () => {
  clock = handClock()
  connections = new Connections()
  faults = []
  welcome = () => Promise.resolve()
  let found: RoutePorts | undefined
  stack = await openHttpStack({
    clock,
    register: (_route, ports) => {
      found = ports
    },
  })
  if (!found) throw new Error('no routes')
  const { exchange } = found
  const { authenticator, feed } = stack.access
  feeds = new Feeds(stack.store, stack.bus)
  feed.onAccessChanged(({ account, key }) => {
    for (const connection of connections.all()) {
      if (connection.principal.account === account || connection.principal.key === key) connection.recheck()
    }
  })
  door = openWebSocketDoor(stack.http.server, {
    compression: 'off',
    gate: {
      exchange,
      feeds,
      renewed: (principal) => authenticator.renewed(principal),
      used: (principal) => authenticator.used(principal),
      rightsChanges: () => feed.changes,
      whisper: () => undefined,
      watchers: new Watchers(clock),
      audiences: [],
      clock,
      traffic: newTraffic(),
      refused: () => undefined,
      fault: (error) => faults.push(error),
    },
    connections,
    lines: openAgentLines({ exchange, lists: stack.lists, store: stack.store }),
    permissions: openPermissionDesk({ lists: stack.lists, store: stack.store, bus: stack.bus }),
    interact: openInteractDesk({ exchange, lists: stack.lists, store: stack.store }),
    updates: openUpdateDesk({
      exchange,
      lists: stack.lists,
      store: stack.store,
      queue: { watch: () => () => undefined },
    }),
    guard: (request) => stack.http.doors.guardUpgrade(request),
    fromHeader: (request) => stack.http.doors.fromHeader(request),
    fromHello: (hello, request) => stack.http.doors.fromHello(hello, request),
    welcome: async () => {
      await welcome()
      return { heartbeatMs: limits.heartbeatMs }
    },
    admit: () => true,
    newId: () => uuidV7(),
    clock,
  })
  cookie = await stack.claim()
})
afterEach(async () => {
  await door[Symbol.asyncDispose]()
  feeds[Symbol.dispose]()
  await stack[Symbol.asyncDispose]()
  expect(faults).toEqual([])
})

type Socket = Awaited<ReturnType<typeof enterRaw>>

async function newKey(days: number): Promise<{ key: string; token: string }> {
  const made = await stack.call('POST', '/api/keys', { cookie, body: { kind: 'pat', name: 'x', days } })
  expect(made.status).toBe(201)
  return made.body as { key: string; token: string }
}

/** A browser's socket. */
async function enterPage(): Promise<Socket> {
  const { ticket } = (await stack.call('POST', '/api/auth/ticket', { cookie })).body as { ticket: string }
  const headers = [
    ['Host', `localhost:${stack.port}`],
    ['Origin', stack.origin],
  ] as const
  return enterRaw(stack.port, { ticket }, headers)
}

async function rename(socket: Socket): Promise<Said> {
  const id = uuidV7()
  const data = { name: `Name ${id}` }
  await say(socket, { t: 'command', id, stream: 'project:default', type: 'project.rename', data })
  return heard(socket, (frame) => frame['id'] === id)
}

/** Time passes in steps in which the sockets show that they are alive, and no sooner than what it set off is done. */
async function advance(ms: number, ...sockets: Socket[]): Promise<void> {
  for (let left = ms; left > 0; left -= 30_000) {
    clock.advance(Math.min(30_000, left))
    for (const socket of sockets) await roundTrip(socket)
  }
}

describe('a credential that ends', () => {
  it('[W25] ends its socket in that moment, and no other', async () => {
    const short = await newKey(1)
    const long = await newKey(30)
    // Close to its end: a day of pings is not what is tried here.
    clock.advance(24 * hourMs - 60_000)
    await using socket = await enterRaw(stack.port, short.token)
    await using other = await enterRaw(stack.port, long.token)
    expect(await rename(socket)).toMatchObject({ t: 'accepted' })
    await advance(30_000, socket, other)
    expect(await rename(socket)).toMatchObject({ t: 'accepted' })
    clock.advance(31_000)
    expect(await closing(socket)).toMatchObject({ code: 4401, problem: { code: 'unauthenticated' } })
    expect((await stack.call('GET', '/api/me', { token: short.token })).status).toBe(401)
    expect(await rename(other)).toMatchObject({ t: 'accepted' })
  })

  it('[A5] is put off by what a page sends over its socket: that is a use of its session', async () => {
    await using used = await enterPage()
    await advance(60_000, used)
    expect(await rename(used)).toMatchObject({ t: 'accepted' })
    const [session] = (await stack.lists.keysOf(connections.all()[0]?.principal.account ?? '')).filter(
      ({ kind }) => kind === 'ses',
    )
    const idleMs = (): Promise<number> =>
      stack.lists.key(session?.key ?? '').then((row) => Date.parse(row?.idle_expires_at ?? '') - clock.wallMs())
    await expect.poll(idleMs).toBeGreaterThan(12 * hourMs - 30_000)
  })

  it('[W25] and is revoked between the proof and the entry does not stay', async () => {
    const { key, token } = await newKey(1)
    const proved = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    welcome = () => {
      proved.resolve()
      return goOn.promise
    }
    const entering = enterRaw(stack.port, token)
    await proved.promise
    expect((await stack.call('DELETE', `/api/keys/${key}`, { cookie })).status).toBe(204)
    goOn.resolve()
    await using socket = await entering
    expect(await closing(socket)).toMatchObject({ code: 4401, problem: { code: 'unauthenticated' } })
  })
})
