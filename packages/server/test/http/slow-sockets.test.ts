import { problemOfClose } from '@hotline/client/problem-of'
import { limits } from '@hotline/protocol/limits'
import { type Door, openDoor } from '@hotline/testing/door'
import { type FaultProxy, startFaultProxy } from '@hotline/testing/fault-proxy'
import { type Middle, openMiddle, person } from '@hotline/testing/middle'
import { openRawWebSocket, type RawWebSocket } from '@hotline/testing/raw-websocket'
import { waitFor } from '@hotline/testing/wait-for'
import { buildFrame, opcodes } from '@hotline/testing/websocket-frame'
import { type HandClock, handClock } from '@hotline/testing/hand-clock'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Owners } from '../../src/access/owners.ts'
import { FrameWatch } from '../../src/http/frame-watch.ts'
import { noFailpoints } from '../../src/log/failpoints.ts'
import { timestamp } from '../../src/machine/clock.ts'
import { systemPrincipal } from '../../src/scheduler/approval-timer.ts'
import { Exchange, type Rights } from '../../src/session/exchange.ts'

import { closing, enterRaw, heard, roundTrip, say, textFrame } from '@hotline/testing/raw-conversation'

/** The real door with a clock that is moved by hand, so that half a minute takes no half minute. */
let middle: Middle
let clock: HandClock
let door: Door
let proxy: FaultProxy
let other: RawWebSocket

beforeEach(async () => {
  middle = await openMiddle()
  await middle.send(systemPrincipal, 'project:p1', 'member.add', { account: 'dana', role: 'approver' })
  clock = handClock()
  const people = new Map(['dana', 'other'].map((name) => [name, person('dana', { id: name })]))
  door = await openDoor(middle, people, 0, clock)
  proxy = await startFaultProxy({ target: { host: '127.0.0.1', port: door.port } })
  other = await enterRaw(door.port, 'other')
})
afterEach(async () => {
  await other[Symbol.asyncDispose]()
  await proxy[Symbol.asyncDispose]()
  await door[Symbol.asyncDispose]()
  await middle.close()
  expect(middle.faults).toEqual([])
})

const enter = (): Promise<RawWebSocket> => enterRaw(door.port, 'dana')
const connectionOf = (id: string): ReturnType<Door['connections']['all']>[number] | undefined =>
  door.connections.all().find(({ principal }) => principal.id === id)
/** Time passes in small steps, in which everybody but the one under test shows that they are alive. */
async function advance(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 5_000) {
    clock.advance(Math.min(5_000, left))
    await roundTrip(other)
  }
}
const spaces = (sizeBytes: number, opcode: number): Buffer =>
  buildFrame({ opcode, payload: Buffer.alloc(sizeBytes, 0x20), position: 'more' })

describe('messages that do not end', () => {
  it('[W14] 10,000 fragments, each a sign of life and all below the limit, are cut off after 30 s', async () => {
    await using socket = await enter()
    await roundTrip(socket, spaces(1, opcodes.text))
    for (let step = 0; step < 29; step += 1) {
      const pieces = Array.from({ length: 345 }, () => spaces(1, opcodes.continuation))
      await roundTrip(socket, Buffer.concat(pieces))
      await advance(1_000)
    }
    await roundTrip(socket)
    await advance(2_000)
    expect(await closing(socket)).toMatchObject({ code: 4408, problem: { code: 'too_slow' } })
    await say(other, { t: 'ping' })
    await heard(other, ({ t }) => t === 'pong')
  })

  it('[W14] the bytes of one frame that trickles are no sign of life, and it is cut off as well', async () => {
    await using socket = await enter()
    const frame = buildFrame({ opcode: opcodes.text, payload: ' '.repeat(1_000) })
    await roundTrip(socket)
    const partial = Buffer.concat([buildFrame({ opcode: opcodes.ping, payload: 'mark' }), frame.subarray(0, 3)])
    await socket.sendBytes(partial)
    for (;;) if ((await socket.nextFrame()).opcode === opcodes.pong) break
    for (let step = 0; step < 29; step += 1) {
      await socket.sendBytes(frame.subarray(3 + step, 4 + step))
      await advance(1_000)
    }
    expect(connectionOf('dana')?.silentMs).toBeGreaterThanOrEqual(29_000)
    await advance(2_000)
    expect(await closing(socket)).toMatchObject({ code: 4408, problem: { code: 'too_slow' } })
  })

  it('[W14] whoever is always in the middle of some message, but ends each, goes on', async () => {
    await using socket = await enter()
    const whole = textFrame({ t: 'ping' })
    const half = Math.floor(whole.length / 2)
    await socket.sendBytes(whole.subarray(0, half))
    for (let round = 0; round < 8; round += 1) {
      await socket.sendBytes(Buffer.concat([whole.subarray(half), whole.subarray(0, half)]))
      await heard(socket, ({ t }) => t === 'pong')
      await advance(20_000)
    }
    expect(connectionOf('dana')).toBeDefined()
  })

  it('[W14] where frames end is found however the bytes are cut', () => {
    const frames = [0, 1, 125, 126, 65_535, 65_536].flatMap((sizeBytes) => [
      { opcode: opcodes.text, payload: Buffer.alloc(sizeBytes), position: 'more' } as const,
      { opcode: opcodes.ping, payload: 'in between' },
      { opcode: opcodes.continuation, payload: Buffer.alloc(sizeBytes), position: 'more' } as const,
      { opcode: opcodes.continuation, payload: Buffer.alloc(3), mask: 'none' } as const,
      { opcode: opcodes.pong },
    ])
    const bytes = Buffer.concat(frames.map((frame) => buildFrame(frame)))
    for (const sizeBytes of [1, 2, 3, 7, 1_000, bytes.length]) {
      const watch = new FrameWatch()
      const sum = { frames: 0, messages: 0 }
      for (let at = 0; at < bytes.length; at += sizeBytes) {
        const { frames: more, messages } = watch.take(bytes.subarray(at, at + sizeBytes))
        sum.frames += more
        sum.messages += messages
      }
      expect(sum).toEqual({ frames: 30, messages: 12 })
      expect(watch.unfinished).toBe(false)
    }
  })
})

describe('half-open connections', () => {
  it('[W24] one that answers stays, and one that does no longer is found in less than 45 s', async () => {
    await using socket = await enterRaw(proxy.port, 'dana', [['Host', 'localhost']])
    for (let beat = 0; beat < 6; beat += 1) {
      await advance(limits.heartbeatMs)
      await roundTrip(socket)
      await waitFor(() => (connectionOf('dana')?.silentMs ?? Infinity) < 5_000, { what: 'it to be heard' })
    }
    proxy.halfOpen()
    await advance(30_000)
    expect(connectionOf('dana')).toBeDefined()
    await advance(14_000)
    await waitFor(() => connectionOf('dana') === undefined, { what: 'the dead one to be found' })
    expect(connectionOf('other')).toBeDefined()
  })
})

describe('rights that are slow to look up', () => {
  it('[W25] a follow that began before the right was taken away, and was allowed, does not begin after it', async () => {
    await middle.send(systemPrincipal, 'project:p1', 'member.add', { account: 'mel', role: 'viewer' })
    await middle.send(systemPrincipal, 'session:s1', 'session.start', { project: 'p1', agent: 'demo' })
    const looking = Promise.withResolvers<void>()
    const goOn = Promise.withResolvers<void>()
    // Ports of the real middle; only the look-up of a role takes a while, as over a network.
    const { store, lists, bus } = middle
    const ports = { store, lists, bus, failpoints: noFailpoints, now: () => timestamp(clock) }
    const fault = (error: unknown): void => void middle.faults.push(error)
    const roleOf: Rights['roleOf'] = async (project, account) => {
      const role = await middle.lists.roleOf(project, account)
      looking.resolve()
      await goOn.promise
      return role
    }
    const exchange = new Exchange(
      { ...ports, fault },
      {
        roleOf,
        proofMissing: () => undefined,
        owners: new Owners(middle.lists),
      },
    )
    await using slow = await openDoor({ ...middle, exchange }, new Map([['mel', person('mel')]]), 0, clock)
    await using socket = await enterRaw(slow.port, 'mel')
    await say(socket, { t: 'follow', stream: 'session:s1', after: '0' })
    await looking.promise
    await middle.send(systemPrincipal, 'project:p1', 'member.remove', { account: 'mel' })
    goOn.resolve()
    const answer = JSON.parse((await socket.nextFrame()).payload.toString('utf8')) as object
    expect(answer).toMatchObject({ t: 'unfollowed', stream: 'session:s1', problem: { code: 'not_found' } })
  })
})

describe('typing', () => {
  it('[W32] is told once in a second of each person, over however many of their connections', async () => {
    await middle.send(systemPrincipal, 'session:s1', 'session.start', { project: 'p1', agent: 'demo' })
    await using one = await enter()
    await using two = await enter()
    await using reader = await enterRaw(door.port, 'other')
    for (const socket of [one, two, reader]) {
      await say(socket, { t: 'follow', stream: 'session:s1', after: '0' })
      await heard(socket, ({ t }) => t === 'caught_up')
    }
    const typing = textFrame({ t: 'typing', stream: 'session:s1' })
    const told = async (): Promise<number> => {
      for (const socket of [one, two]) await roundTrip(socket, Buffer.concat([typing, typing, typing]))
      let count = 0
      await say(reader, { t: 'ping' })
      await heard(reader, (frame) => {
        if (frame['kind'] === 'typing') count += 1
        return frame.t === 'pong'
      })
      return count
    }
    expect(await told()).toBe(1)
    clock.advance(1_000)
    expect(await told()).toBe(1)
  })
})

describe('many follows', () => {
  it(`[W20] one connection follows ${limits.followsPerSocket} streams; the next is refused and nothing else is lost`, async () => {
    const streams = Array.from({ length: limits.followsPerSocket + 1 }, (_, at) => `session:s${at}`)
    for (const stream of streams) {
      await middle.send(systemPrincipal, stream, 'session.start', { project: 'p1', agent: 'demo' })
    }
    await using socket = await enter()
    for (const stream of streams.slice(0, -1)) {
      // The second one comes while the first is being opened, and takes its place.
      const follow = textFrame({ t: 'follow', stream, after: '0' })
      await socket.sendBytes(Buffer.concat([follow, follow]))
      await heard(socket, ({ t }) => t === 'caught_up')
      // Slowly enough for the number of frames in a second.
      clock.advance(100)
      await roundTrip(other)
    }
    const last = streams.at(-1)
    await say(socket, { t: 'follow', stream: last, after: '0' })
    const refused = await heard(socket, ({ t }) => t === 'unfollowed')
    expect(refused).toMatchObject({ stream: last, problem: { code: 'rate_limited' } })
    await say(socket, { t: 'unfollow', stream: 'session:s0' })
    await say(socket, { t: 'follow', stream: last, after: '0' })
    expect(await heard(socket, ({ t }) => t === 'caught_up')).toMatchObject({ stream: last })
  })

  it('[W20] a stream that is followed already is followed anew, counts once, and comes once', async () => {
    const streams = Array.from({ length: limits.followsPerSocket + 1 }, (_, at) => `session:s${at}`)
    for (const stream of streams) {
      await middle.send(systemPrincipal, stream, 'session.start', { project: 'p1', agent: 'demo' })
    }
    await using socket = await enter()
    const mine = streams.slice(0, -1)
    const [first = '', second = '', further = ''] = [mine[0], mine[1], streams.at(-1)]
    const follow = (stream: string, after = '0'): Buffer => textFrame({ t: 'follow', stream, after })
    const follows = (): number | undefined => connectionOf('dana')?.followed
    await socket.sendBytes(Buffer.concat(mine.map((stream) => follow(stream))))
    for (const _ of mine) await heard(socket, ({ t }) => t === 'caught_up')
    expect(follows()).toBe(limits.followsPerSocket)
    // All of them once more, and in their midst one that is too many.
    await advance(5_000)
    const again = mine.map((stream) => follow(stream, 'now'))
    await socket.sendBytes(Buffer.concat([...again.slice(0, 100), follow(further), ...again.slice(100)]))
    const answers = new Map<string, number>()
    for (const _ of streams) {
      const { t } = await heard(socket, (frame) => frame.t === 'caught_up' || frame.t === 'unfollowed')
      answers.set(t, (answers.get(t) ?? 0) + 1)
    }
    expect(Object.fromEntries(answers)).toEqual({ caught_up: limits.followsPerSocket, unfollowed: 1 })
    expect(follows()).toBe(limits.followsPerSocket)
    // With room for one, following anew what is followed does not take that room.
    await say(socket, { t: 'unfollow', stream: first })
    await socket.sendBytes(Buffer.concat([follow(second, 'now'), follow(second, 'now'), follow(further)]))
    expect(await heard(socket, (frame) => frame['stream'] === further)).toMatchObject({ t: 'events' })
    expect(follows()).toBe(limits.followsPerSocket)
    // Each still goes on, and says everything once.
    for (const stream of [second, further, mine.at(-1) ?? '']) {
      await middle.send(systemPrincipal, stream, 'session.rename', { title: `once in ${stream}` })
    }
    await say(socket, { t: 'ping' })
    const told: unknown[] = []
    await heard(socket, (frame) => {
      if (frame.t === 'events' && JSON.stringify(frame).includes('once in ')) told.push(frame['stream'])
      return told.length >= 3
    })
    await roundTrip(socket)
    expect(told).toEqual([second, further, mine.at(-1)])
  })
})

describe('a connection that says nothing', () => {
  it('[W33] ends with 4408, which says nothing of a credential, so that whoever was away comes back', async () => {
    const headers = [['Host', `localhost:${door.port}`]] as const
    await using socket = await openRawWebSocket({
      port: door.port,
      path: '/api/ws',
      protocols: ['hotline.v1'],
      headers,
    })
    await advance(limits.helloTimeoutMs)
    const { code, problem } = await closing(socket)
    expect([code, problem]).toMatchObject([4408, { code: 'too_slow' }])
    expect(problemOfClose(code).code).toBe('too_slow')
  })
})
