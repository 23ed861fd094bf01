import type { Link } from '@hotline/client/link'
import { openLink } from '@hotline/client/open-link'
import type { Problem } from '@hotline/protocol/error'
import type { Envelope } from '@hotline/protocol/event'
import { limits } from '@hotline/protocol/limits'
import { systemPrincipal } from '@hotline/server/scheduler/approval-timer'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Door, openDoor } from '../src/door.ts'
import { type FaultProxy, startFaultProxy } from '../src/fault-proxy.ts'
import { type Middle, openMiddle, person } from '../src/middle.ts'
import { handClock } from '../src/hand-clock.ts'
import { openOracleClient } from '../src/oracle-client.ts'
import { opcodes } from '../src/websocket-frame.ts'
import { agentEvent, freely } from '../src/log-bench.ts'
import { openPausableSockets } from '../src/pausable-socket.ts'
import { openRawWebSocket, type RawWebSocket } from '../src/raw-websocket.ts'
import { waitFor } from '../src/wait-for.ts'

const stream = 'session:s1'
const people = new Map([['dana', person('dana')]])
let middle: Middle
let door: Door
let proxy: FaultProxy
const links: Link[] = []

beforeEach(async () => {
  middle = await openMiddle()
  await middle.send(systemPrincipal, 'project:p1', 'member.add', { account: 'dana', role: 'approver' })
  await middle.send(systemPrincipal, stream, 'session.start', { project: 'p1', agent: 'demo' })
  door = await openDoor(middle, people)
  proxy = await startFaultProxy({ target: { host: '127.0.0.1', port: door.port } })
})
afterEach(async () => {
  for (const link of links.splice(0)) await link[Symbol.asyncDispose]()
  await proxy[Symbol.asyncDispose]()
  await door[Symbol.asyncDispose]()
  await middle.close()
  expect(middle.faults).toEqual([])
})

/** Reconnects at once, so that a test is quick. */
function connect(token = 'dana'): Link {
  const link = openLink({
    url: `http://127.0.0.1:${proxy.port}`,
    credential: { kind: 'token', token },
    random: () => 0,
  })
  links.push(link)
  return link
}

async function stored(): Promise<Envelope[]> {
  const events = await middle.store.read(stream, { after: 0, limit: 100_000, maxBytes: 1e9 })
  return events.map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString()) as Envelope)
}

const rename = (title: string): Promise<unknown> => middle.send(systemPrincipal, stream, 'session.rename', { title })

describe('a link over a bad network', () => {
  it('[N1] cut at every event, a follower still has each event once and in order', async () => {
    const oracle = openOracleClient(connect(), 'reader')
    oracle.follow(stream)
    for (let round = 0; round < 15; round += 1) {
      await rename(`round ${round}`)
      if (round % 2 === 0) proxy.cut()
    }
    const events = await stored()
    await waitFor(() => oracle.at(stream) === events.length, { what: 'the reader to catch up' })
    expect(oracle.violations(stream, events)).toEqual([])
  })

  it('[N1] frames that arrive byte by byte are the same frames', async () => {
    proxy.sliceEvery(1)
    const oracle = openOracleClient(connect(), 'reader')
    oracle.follow(stream)
    for (let round = 0; round < 5; round += 1) await rename(`round ${round}`)
    const events = await stored()
    await waitFor(() => oracle.at(stream) === events.length, { what: 'the reader to catch up' })
    expect(oracle.violations(stream, events)).toEqual([])
  })

  it('[N2] commands given while the line is cut again and again happen once each', async () => {
    const oracle = openOracleClient(connect(), 'sender')
    oracle.follow(stream)
    const sent: Promise<unknown>[] = []
    for (let round = 0; round < 40; round += 1) {
      sent.push(oracle.command(stream, 'message.send', { text: `message ${round}` }))
      if (round % 7 === 3) proxy.cut()
      if (round % 7 === 5) await waitFor(() => proxy.connections > 0, { what: 'a connection' })
    }
    await Promise.all(sent)
    const events = await stored()
    await waitFor(() => oracle.at(stream) === events.length, { what: 'the sender to catch up' })
    expect(oracle.violations(stream, events)).toEqual([])
    const texts = events.filter(({ type }) => type === 'message.posted').map(({ body }) => body?.['text'])
    expect(texts).toEqual(Array.from({ length: 40 }, (_, round) => `message ${round}`))
  })

  it('[N2] a command given while there is no server waits and is carried out when there is one', async () => {
    const link = connect()
    await waitFor(() => link.connection.value.status === 'open', { what: 'the connection' })
    const { port } = door
    await door[Symbol.asyncDispose]()
    const waiting = link.command(stream, 'message.send', { text: 'from the tunnel' })
    await waitFor(() => link.connection.value.status === 'waiting', { what: 'the loss to be seen' })
    door = await openDoor(middle, people, port)
    expect(await waiting).toMatchObject({ ok: true })
    expect((await stored()).filter(({ type }) => type === 'message.posted')).toHaveLength(1)
  })

  it('[N3] a wrong credential ends the link with the reason, and it does not try again', async () => {
    const link = connect('mallory')
    await waitFor(() => link.connection.value.status === 'closed', { what: 'the refusal' })
    expect(link.connection.value).toMatchObject({ problem: { code: 'unauthenticated' } })
  })

  it('[N4] a stream that is not there or not theirs ends the follow and nothing else', async () => {
    const link = connect()
    const ended: string[] = []
    link.follow('session:none', '0', { events: () => undefined, ended: ({ code }) => void ended.push(code) })
    link.follow(stream, '0', { events: () => undefined })
    await waitFor(() => ended.length === 1, { what: 'the end of the follow' })
    expect(ended).toEqual(['not_found'])
    expect(link.connection.value.status).toBe('open')
  })

  it('[N5] a cursor of another life or ahead of the log gets a reset, never silence', async () => {
    const link = connect()
    const head = await middle.store.head(stream)
    const resets: string[] = []
    for (const [after, other] of [
      [`zzzzzzzz.1`, 'project:p1'],
      [`${head?.epoch}.${(head?.head ?? 0) + 5}`, stream],
    ] as const) {
      link.follow(other, after, { events: () => undefined, reset: (cursor) => void resets.push(cursor) })
    }
    await waitFor(() => resets.length === 2, { what: 'both resets' })
    expect(resets).toContain(`${head?.epoch}.${head?.head}`)
  })
})

const sendText = (socket: RawWebSocket, text: string): Promise<void> =>
  socket.send({ opcode: opcodes.text, payload: Buffer.from(text) })

describe('a reader that takes nothing', () => {
  it('[F5] [W23] for a minute, while it is heard, is told to come back, with a close code of its own', async () => {
    const clock = handClock()
    for (let at = 0; at < 100; at += 1) await middle.store.append([freely(stream, agentEvent('x'.repeat(200_000)))])
    await using slow = await openDoor(middle, people, 0, clock)
    const sockets = openPausableSockets()
    const socket = new sockets.webSocket(new URL(`ws://127.0.0.1:${slow.port}/api/ws`), 'hotline.v1')
    const ended = new Promise<number>((resolve) => socket.addEventListener('close', ({ code }) => resolve(code)))
    let reason: unknown
    socket.addEventListener('message', ({ data }: MessageEvent) => {
      if (typeof data === 'string' && data.startsWith('{"t":"problem"'))
        reason = (JSON.parse(data) as { problem: Problem }).problem.code
    })
    const say = (frame: object): void => socket.send(JSON.stringify(frame))
    await new Promise((resolve) => socket.addEventListener('open', resolve))
    say({ t: 'hello', token: 'dana' })
    const [connection] = await waitFor(() => slow.connections.count > 0 && slow.connections.all(), {
      what: 'the welcome',
    })
    sockets.pause()
    say({ t: 'follow', stream, after: '0' })
    for (let beat = 0; beat < 8; beat += 1) {
      // It says that it has everything and reads nothing: only what lies in the network holds the server up.
      for (let window = 0; window < 10; window += 1) {
        say({ t: 'ack', stream, seq: 1_000_000 })
        await new Promise((resolve) => setImmediate(resolve))
      }
      clock.advance(limits.heartbeatMs)
      say({ t: 'ack', stream, seq: 1_000_000 })
      await waitFor(() => connection?.silentMs === 0, { what: 'it to be heard' })
    }
    sockets.resume()
    expect(await ended).toBe(4408)
    expect(reason).toBe('too_slow')
  })
})

describe('what comes over a socket', () => {
  const target = (): { host: string; port: number } => ({ host: '127.0.0.1', port: door.port })
  const open = (): ReturnType<typeof openRawWebSocket> =>
    openRawWebSocket({ ...target(), path: '/api/ws', protocols: ['hotline.v1'] })

  it('[W34] a command that this server does not know is refused, and those after it are carried out', async () => {
    const link = connect()
    for (let times = 0; times < 6; times += 1) {
      const unknown = 'session.levitate' as 'session.rename'
      expect(await link.command(stream, unknown, { title: 'up' })).toMatchObject({
        ok: false,
        problem: { code: 'invalid_request', issues: [{ path: 'type' }] },
      })
    }
    expect(await link.command('nonsense', 'session.rename', { title: 'up' })).toMatchObject({
      problem: { code: 'invalid_request', issues: [{ path: 'stream' }] },
    })
    expect(await link.command(stream, 'message.send', { text: 'down here' })).toMatchObject({ ok: true })
  })

  it('[W19] frames that are not understood are answered, and the fifth ends the connection, not that of others', async () => {
    const other = connect()
    await waitFor(() => other.connection.value.status === 'open', { what: 'the other connection' })
    const socket = await open()
    await sendText(socket, JSON.stringify({ t: 'hello', token: 'dana' }))
    expect((await socket.nextFrame()).payload.toString()).toContain('"t":"welcome"')
    for (let round = 0; round < 5; round += 1) await sendText(socket, JSON.stringify({ t: 'explode' }))
    expect((await socket.waitForEnd()).code).toBe(4400)
    expect(other.connection.value.status).toBe('open')
  })

  it.each([
    [
      '[W28] a command before hello',
      () => JSON.stringify({ t: 'command', id: 'c1', stream, type: 'message.send', data: { text: 'x' } }),
    ],
    ['[W28] text that is not JSON before hello', () => 'hello?'],
    ['[W01] a token that nobody has', () => JSON.stringify({ t: 'hello', token: 'nobody' })],
  ])('%s ends with 4401', async (_name, frame) => {
    const socket = await open()
    await sendText(socket, frame())
    expect((await socket.waitForEnd()).code).toBe(4401)
    expect((await stored()).filter(({ type }) => type === 'message.posted')).toHaveLength(0)
  })

  it('[W12] a frame over the limit is refused with 1009', async () => {
    const socket = await open()
    await sendText(socket, 'x'.repeat(64 * 1024 + 1))
    expect((await socket.waitForEnd()).code).toBe(1009)
  })
})
