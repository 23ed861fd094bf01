import { systemClock } from '@hotline/client/clock'
import type { Follower, Link } from '@hotline/client/link'
import { type LinkOptions, openLink } from '@hotline/client/open-link'
import { memoryOutbox } from '@hotline/client/outbox'
import { problem } from '@hotline/protocol/error'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { handClock } from '../src/hand-clock.ts'
import { waitFor } from '../src/wait-for.ts'
import { startTinyLogServer, type TinyLogServer } from './tiny-log-server.ts'

const stream = 'session:s1'
let tiny: TinyLogServer
const links: Link[] = []

beforeEach(async () => {
  tiny = await startTinyLogServer()
})
afterEach(async () => {
  for (const link of links.splice(0)) await link[Symbol.asyncDispose]()
  await tiny[Symbol.asyncDispose]()
})

function connect(more: Partial<LinkOptions> = {}): Link {
  const link = openLink({ url: tiny.url, credential: { kind: 'token', token: 't' }, random: () => 0, ...more })
  links.push(link)
  return link
}

interface Heard {
  seqs: number[]
  resets: string[]
  ended: string[]
}

function listen(link: Link, after: string, more: Partial<Follower> = {}): Heard {
  const heard: Heard = { seqs: [], resets: [], ended: [] }
  link.follow(stream, after, {
    events: (events) => void heard.seqs.push(...events.map(({ seq }) => seq)),
    reset: (head) => void heard.resets.push(head),
    ended: ({ code }) => void heard.ended.push(code),
    ...more,
  })
  return heard
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1)
const open = (link: Link): Promise<unknown> =>
  waitFor(() => link.connection.value.status === 'open', { what: 'an open connection' })
const frames = (t: string): unknown[] => tiny.received.filter((frame) => frame.t === t)

describe('connecting', () => {
  it('[C11] says a token in the first frame, and nothing else before the welcome', async () => {
    tiny.intercept = (_socket, { t }) => t === 'hello'
    const link = connect({ client: 'test/1' })
    listen(link, '0')
    void link.command(stream, 'message.send', { text: 'early' })
    await waitFor(() => tiny.received.length > 0, { what: 'hello' })
    expect(tiny.received).toEqual([{ t: 'hello', token: 't', client: 'test/1' }])
    expect(link.connection.value.status).toBe('connecting')
  })

  it('[C11] with a cookie it fetches a ticket of its own before each connect', async () => {
    const link = connect({ credential: { kind: 'cookie' } })
    await open(link)
    tiny.cut()
    await waitFor(() => tiny.connected === 2, { what: 'a second connection' })
    await open(link)
    const hellos = tiny.received.filter(({ t }) => t === 'hello')
    expect(hellos.map(({ ticket, token }) => [ticket, token])).toEqual([
      ['ticket-1', undefined],
      ['ticket-2', undefined],
    ])
    expect(tiny.requests.every(({ authorization }) => authorization === undefined)).toBe(true)
  })

  it('[C1] goes on for ever, slowly after the first five tries; Reconnect tries at once and counts anew', async () => {
    const states: string[] = []
    const { url } = tiny
    await tiny[Symbol.asyncDispose]()
    const link = connect({ url, clock: hurried(1_000) })
    link.connection.watch((state) => {
      if (state.status === 'waiting') states.push(`${state.attempt}${state.slow ? ' slow' : ''}`)
    })
    await waitFor(() => states.length >= 7, { what: 'seven tries' })
    expect(states.slice(0, 7)).toEqual(['1', '2', '3', '4', '5', '6 slow', '7 slow'])
    states.length = 0
    link.reconnect()
    await waitFor(() => states.length >= 1, { what: 'another try' })
    expect(states[0]).toBe('1')
  })

  it('[C1] who may not wait long tries again in time, however long the server is away', async () => {
    const waits: number[] = []
    const { url } = tiny
    await tiny[Symbol.asyncDispose]()
    const link = connect({ url, clock: hurried(1_000), random: () => 1, longestWaitMs: 1_000 })
    link.connection.watch((state) => {
      if (state.status === 'waiting') waits.push(state.retryAt - Date.now())
    })
    await waitFor(() => waits.length >= 7, { what: 'seven tries' })
    expect(waits.every((waitMs) => waitMs <= 1_000)).toBe(true)
  })

  it('[C1] comes back when a goodbye or a problem says so, and not before', async () => {
    const link = connect()
    await open(link)
    tiny.say({ t: 'goodbye', code: 'draining', retryAfterMs: 60_000 })
    for (const socket of tiny.sockets) socket.close(4503)
    await waitFor(() => link.connection.value.status === 'waiting', { what: 'the wait' })
    const { value } = link.connection
    if (value.status !== 'waiting') throw new Error('it does not wait')
    expect(value.problem.code).toBe('draining')
    expect(value.retryAt - Date.now()).toBeGreaterThan(55_000)
    link.reconnect()
    await open(link)
    tiny.say({ t: 'problem', problem: problem('rate_limited', 'Slowly.', { retryAfterMs: 50_000 }) })
    for (const socket of tiny.sockets) socket.close(4429)
    await waitFor(() => link.connection.value.status === 'waiting', { what: 'the second wait' })
    expect(link.connection.value).toMatchObject({ problem: { code: 'rate_limited', detail: 'Slowly.' } })
  })

  it('[C1] a server that lets it in and throws it out at once is not tried quicker and quicker', async () => {
    tiny.intercept = (socket, { t }) => {
      if (t === 'hello') setImmediate(() => socket.close(1011))
      return false
    }
    const attempts: number[] = []
    const link = connect({ clock: hurried(1_000) })
    link.connection.watch((state) => state.status === 'waiting' && attempts.push(state.attempt))
    await waitFor(() => attempts.length >= 4, { what: 'four losses' })
    expect(attempts.slice(0, 4)).toEqual([1, 2, 3, 4])
  })

  it.each([
    [4401, 'unauthenticated'],
    [4426, 'version_not_spoken'],
  ] as const)('[C11] a connection that ends with %i is not tried again, but Reconnect may', async (code, name) => {
    tiny.intercept = (socket, { t }) => {
      if (t === 'hello') socket.close(code)
      return t === 'hello'
    }
    const link = connect()
    await waitFor(() => link.connection.value.status === 'closed', { what: 'the end' })
    expect(link.connection.value).toMatchObject({ problem: { code: name } })
    expect(tiny.connected).toBe(1)
    tiny.intercept = () => false
    link.reconnect()
    await open(link)
  })

  it('[C11] a ticket that came too late is fetched anew', async () => {
    tiny.intercept = (socket, { t }) => {
      if (t !== 'hello' || tiny.connected > 1) return false
      socket.send(JSON.stringify({ t: 'problem', problem: problem('ticket_invalid', 'Too old.') }))
      socket.close(4401)
      return true
    }
    await open(connect({ credential: { kind: 'cookie' } }))
    expect(tiny.connected).toBe(2)
  })
})

describe('a line that is dead', () => {
  it('[C12] silence is followed by a ping, and then by another connection, within two heartbeats', async () => {
    const clock = handClock()
    let deaf = false
    tiny.intercept = () => deaf
    const link = connect({ clock })
    const heard = listen(link, '0')
    tiny.append(3)
    await waitFor(() => heard.seqs.length === 3, { what: 'three events' })
    deaf = true
    clock.advance(1.5 * tiny.heartbeatMs)
    await waitFor(() => frames('ping').length === 1, { what: 'a ping' })
    expect(link.connection.value.status).toBe('open')
    // The rest of the second heartbeat is more than what a ping has for its answer.
    clock.advance(3_000)
    expect(link.connection.value.status).toBe('waiting')
    deaf = false
    tiny.append(2)
    clock.advance(1_000)
    await waitFor(() => heard.seqs.length === 5, { what: 'what was missed' })
    // The old socket is still half open over there; nothing that comes from it counts.
    tiny.say(tiny.batch(1, 5))
    tiny.append(1)
    await waitFor(() => heard.seqs.length === 6, { what: 'the last one' })
    expect(heard.seqs).toEqual(numbers(6))
  })

  it('[C12] silence is noticed also where the clock was set back, and what is alive is not left', async () => {
    tiny.heartbeatMs = 400
    let behindMs = 0
    const clock = { ...systemClock, wallMs: () => systemClock.wallMs() - behindMs }
    const link = connect({ clock })
    await open(link)
    behindMs = 3_600_000
    await waitFor(() => frames('ping').length >= 2, { what: 'two pings' })
    expect(tiny.connected).toBe(1)
    behindMs = 7_200_000
    tiny.intercept = (_socket, { t }) => t === 'ping'
    await waitFor(() => tiny.connected === 2, { what: 'another connection' })
  })

  it('[C12] a server that only answers pings is alive', async () => {
    const clock = handClock()
    let pongs = 0
    class Counting extends WebSocket {
      constructor(url: URL, protocol: string) {
        super(url, protocol)
        this.addEventListener('message', ({ data }: MessageEvent) => {
          if (String(data).includes('"pong"')) pongs += 1
        })
      }
    }
    const link = connect({ clock, webSocket: Counting })
    await open(link)
    for (let round = 1; round <= 4; round += 1) {
      clock.advance(1.5 * tiny.heartbeatMs)
      await waitFor(() => pongs === round, { what: `pong ${round}` })
    }
    expect(tiny.connected).toBe(1)
    expect(link.connection.value.status).toBe('open')
  })

  it('[C12] when the machine wakes up it asks at once, and waits no longer where it waited', async () => {
    const page = globalThis as { addEventListener?: unknown; removeEventListener?: unknown }
    const target = new EventTarget()
    page.addEventListener = target.addEventListener.bind(target)
    page.removeEventListener = target.removeEventListener.bind(target)
    try {
      const link = connect({ random: () => 1 })
      await open(link)
      target.dispatchEvent(new Event('focus'))
      await waitFor(() => frames('ping').length === 1, { what: 'a ping' })
      expect(tiny.connected).toBe(1)
      tiny.cut()
      await waitFor(() => link.connection.value.status === 'waiting', { what: 'the wait' })
      target.dispatchEvent(new Event('online'))
      await open(link)
      expect(tiny.connected).toBe(2)
      await link[Symbol.asyncDispose]()
      target.dispatchEvent(new Event('online'))
      expect(link.connection.value).toEqual({ status: 'closed' })
    } finally {
      delete page.addEventListener
      delete page.removeEventListener
    }
  })
})

describe('following', () => {
  it('[N1] the connection may be lost at every event, before the first and twice in a row', async () => {
    const link = connect({ clock: hurried(50) })
    const heard = listen(link, '0')
    for (let seq = 1; seq <= 25; seq += 1) {
      tiny.cut()
      if (seq % 3 === 0) await waitFor(() => tiny.sockets.size > 0, { what: 'a connection', everyMs: 2 })
      tiny.cut()
      tiny.append(1)
      await waitFor(() => heard.seqs.length === seq, { what: `event ${seq}`, everyMs: 2 })
    }
    expect(heard.seqs).toEqual(numbers(25))
  })

  it('[C4] batches that come twice, overlap or leave a gap do no harm', async () => {
    const heard = listen(connect(), '0')
    tiny.append(4)
    await waitFor(() => heard.seqs.length === 4, { what: 'four events' })
    tiny.append(6, 'untold')
    for (const [from, to] of [
      [1, 4],
      [3, 6],
      [9, 10],
      [10, 10],
    ] as const) {
      tiny.say(tiny.batch(from, to))
    }
    await waitFor(() => heard.seqs.length === 10, { what: 'ten events' })
    expect(heard.seqs).toEqual(numbers(10))
    expect(frames('follow')).toHaveLength(2)
  })

  it('[C6] a last event that got lost is found by the heartbeats', async () => {
    const heard = listen(connect(), '0')
    tiny.append(2)
    await waitFor(() => heard.seqs.length === 2, { what: 'two events' })
    tiny.append(1, 'untold')
    tiny.heartbeat()
    tiny.heartbeat()
    await waitFor(() => heard.seqs.length === 3, { what: 'the lost one' })
  })

  it('[C7] a log that was replaced resets the follower, who goes on after a snapshot', async () => {
    const link = connect()
    const seqs: number[] = []
    const resets: string[] = []
    const follow = (after: string): unknown =>
      link.follow(stream, after, {
        events: (events) => void seqs.push(...events.map(({ seq }) => seq)),
        reset: (head) => {
          resets.push(head)
          follow(head)
        },
      })
    follow('0')
    tiny.append(5)
    await waitFor(() => seqs.length === 5, { what: 'five events' })
    tiny.replaceLog('bbbbbbbb', 2)
    tiny.cut()
    await waitFor(() => resets.length === 1, { what: 'the reset' })
    expect(resets).toEqual(['bbbbbbbb.2'])
    await waitFor(() => tiny.received.at(-1)?.after === 'bbbbbbbb.2', { what: 'the new follow' })
    tiny.append(1)
    await waitFor(() => seqs.length === 6, { what: 'the next event' })
    expect(seqs).toEqual([1, 2, 3, 4, 5, 3])
  })

  it('[C13] kinds of frames that it does not know are passed over; events that it cannot read end the follow', async () => {
    const link = connect()
    const heard = listen(link, '0')
    tiny.append(1)
    await waitFor(() => heard.seqs.length === 1, { what: 'an event' })
    tiny.say({ t: 'confetti', colour: 'green' })
    for (const socket of tiny.sockets) socket.send('this is no JSON')
    tiny.append(1)
    await waitFor(() => heard.seqs.length === 2, { what: 'the next event' })
    tiny.say({ t: 'events', stream, epoch: 'aaaaaaaa', from: 3, to: 3, events: [{ seq: 'three' }] })
    await waitFor(() => heard.ended.length === 1, { what: 'the end' })
    expect(heard.ended).toEqual(['invalid_frame'])
    expect([frames('follow').length, link.connection.value.status]).toEqual([1, 'open'])
  })

  it('[C5] acknowledges what it took', async () => {
    const heard = listen(connect(), '0')
    tiny.append(3)
    await waitFor(() => heard.seqs.length === 3, { what: 'three events' })
    await waitFor(() => frames('ack').length === 1, { what: 'an acknowledgement' })
    expect(frames('ack')).toEqual([{ t: 'ack', stream, seq: 3 }])
  })
})

describe('commands', () => {
  it('[C8] is sent again with the same id when the answer was lost, and happens once', async () => {
    let lose = 3
    tiny.intercept = (socket, frame) => {
      if (frame.t !== 'command' || lose === 0) return false
      lose -= 1
      socket.terminate()
      // The first time it is carried out and the answer is lost; then the request itself.
      return lose !== 2
    }
    const link = connect({ clock: hurried(50) })
    const heard = listen(link, '0')
    const outcome = await link.command(stream, 'message.send', { text: 'once' })
    expect(outcome).toMatchObject({ ok: true, accepted: { seq: 1 } })
    const sent = tiny.received.filter(({ t }) => t === 'command')
    expect(sent.length).toBeGreaterThanOrEqual(3)
    expect(new Set(sent.map(({ id }) => id)).size).toBe(1)
    await waitFor(() => heard.seqs.length === 1, { what: 'the event' })
    expect(tiny.events).toHaveLength(1)
  })

  it('[C8] what one link could not send the next one does, from the same outbox', async () => {
    const outbox = memoryOutbox()
    const { url } = tiny
    const first = connect({ url: 'http://127.0.0.1:1', outbox })
    const given = first.command(stream, 'message.send', { text: 'from the tunnel' })
    await waitFor(async () => (await outbox.all()).length === 1, { what: 'the outbox' })
    await first[Symbol.asyncDispose]()
    expect(await given).toMatchObject({ ok: false, problem: { code: 'unreachable' } })
    const second = connect({ url, outbox })
    await waitFor(() => tiny.events.length === 1, { what: 'the message' })
    expect(tiny.events[0]?.body).toEqual({ text: 'from the tunnel' })
    await waitFor(async () => (await outbox.all()).length === 0, { what: 'an empty outbox' })
    expect(second.outbox.value).toEqual([])
  })

  it('[C9] a large command goes over HTTP with the same id and the same answer', async () => {
    const link = connect()
    await open(link)
    const outcome = await link.command(stream, 'message.send', { text: 'x'.repeat(90_000) })
    expect(outcome).toMatchObject({ ok: true, accepted: { seq: 1 } })
    expect(tiny.requests.map(({ line, authorization }) => [line, authorization])).toEqual([
      ['POST /api/commands', 'Bearer t'],
    ])
    expect(frames('command')).toEqual([])
  })

  it('[C9] refusals are values; "not now" is tried again by itself', async () => {
    const link = connect({ clock: hurried(50) })
    tiny.refuse = () => problem('message_empty', 'Nothing in it.')
    expect(await link.command(stream, 'message.send', { text: ' ' })).toMatchObject({
      ok: false,
      problem: { code: 'message_empty' },
    })
    let refusals = 2
    tiny.refuse = () => (refusals-- > 0 ? problem('storage_unavailable', 'The disk is full.') : undefined)
    expect(await link.command(stream, 'message.send', { text: 'again' })).toMatchObject({ ok: true })
    expect(tiny.events).toHaveLength(1)
  })

  it('[C10] a link that is closed leaves no socket, no timer and nobody waiting', async () => {
    const link = connect()
    await open(link)
    tiny.intercept = (_socket, { t }) => t === 'command'
    const waiting = link.command(stream, 'message.send', { text: 'x' })
    await waitFor(() => frames('command').length === 1, { what: 'the command' })
    await link[Symbol.asyncDispose]()
    await link[Symbol.asyncDispose]()
    expect(await waiting).toMatchObject({ ok: false })
    await waitFor(() => tiny.sockets.size === 0, { what: 'the socket to close' })
    expect(link.connection.value).toEqual({ status: 'closed' })
    link.reconnect()
    expect(link.connection.value).toEqual({ status: 'closed' })
  })
})

/** Waits are that many times shorter, so that a test sees minutes. */
function hurried(factor: number): NonNullable<LinkOptions['clock']> {
  return {
    wallMs: () => Date.now(),
    after: (delayMs, call) => {
      const timer = setTimeout(call, delayMs / factor)
      return () => clearTimeout(timer)
    },
  }
}
