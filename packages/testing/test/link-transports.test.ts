import { type Transport, transports } from '@hotline/client/carrier'
import type { Clock } from '@hotline/client/clock'
import type { ConnectionState, Link } from '@hotline/client/link'
import { type LinkOptions, openLink } from '@hotline/client/open-link'
import type { Envelope } from '@hotline/protocol/event'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { HandRunner } from '../src/hand-runner.ts'
import { type HttpProxy, startHttpProxy } from '../src/http-proxy.ts'
import { type LiveServer, startLiveServer } from '../src/live-server.ts'
import { openOracleClient } from '../src/oracle-client.ts'
import { randomSeed, seededRandom } from '../src/seed.ts'
import { waitFor } from '../src/wait-for.ts'

let live: LiveServer
let proxy: HttpProxy
let hand: HandRunner
const links: Link[] = []

beforeAll(async () => {
  live = await startLiveServer({ env: { HOTLINE_LIMIT_REQUESTS_PER_PRINCIPAL: '100000' } })
})
beforeEach(async () => {
  proxy = await startHttpProxy(Number(new URL(live.url).port))
  hand = await live.startSession()
})
afterEach(async () => {
  for (const link of links.splice(0)) await link[Symbol.asyncDispose]()
  await proxy[Symbol.asyncDispose]()
})
afterAll(() => live[Symbol.asyncDispose]())

/** Waits of whole seconds are a tenth as long, so that falling and climbing cost a test little. */
const hurried: Clock = {
  wallMs: () => Date.now(),
  after: (delayMs, call) => {
    const timer = setTimeout(call, delayMs >= 1_000 ? delayMs / 10 : delayMs)
    return () => clearTimeout(timer)
  },
}

function connect(more: Partial<LinkOptions> = {}): Link {
  const link = openLink({
    url: `http://127.0.0.1:${proxy.port}`,
    credential: { kind: 'token', token: live.token },
    random: () => 0,
    clock: hurried,
    ...more,
  })
  links.push(link)
  return link
}

const transportOf = ({ value }: { value: ConnectionState }): Transport | undefined =>
  value.status === 'open' ? value.transport : undefined

const over = (link: Link, transport: Transport): Promise<unknown> =>
  waitFor(() => transportOf(link.connection) === transport, { what: `a connection over ${transport}` })

async function say(text: string): Promise<void> {
  const data = { source: 'stdout', encoding: 'utf8', bytes: text.length } as const
  await hand.report({ type: 'output.appended', data, body: { text } })
}

const stored = (): Promise<Envelope[]> => live.stored(hand.session)

describe.each(transports)('over %s alone', (transport) => {
  it('[N1] [N2] everything arrives once and in order, and commands are carried out once', async () => {
    const link = connect({ transports: [transport] })
    const oracle = openOracleClient(link, transport)
    oracle.follow(hand.stream)
    const sent: Promise<unknown>[] = []
    for (let round = 0; round < 20; round += 1) {
      await say(`line ${round}`)
      sent.push(oracle.command(hand.stream, 'message.send', { text: `message ${round}` }))
      if (round % 5 === 4) proxy.cut()
    }
    await Promise.all(sent)
    expect(transportOf(link.connection) ?? transport).toBe(transport)
    const events = await stored()
    await waitFor(() => oracle.at(hand.stream) === events.length, { what: 'everything' })
    expect(oracle.violations(hand.stream, events)).toEqual([])
    const texts = events.filter(({ type }) => type === 'message.posted').map(({ body }) => body?.['text'])
    expect(texts).toEqual(Array.from({ length: 20 }, (_, round) => `message ${round}`))
  })

  it('[Y1] [L8] line ends of every kind, and characters of every length, come as they were said', async () => {
    const odd = 'a\rb\nc\r\nd\n\ne: data: x\n\nid: 7\u2028\u2029\u0000\ufeff ü 字 👋🏽'
    await say(odd)
    const link = connect({ transports: [transport] })
    const heard: unknown[] = []
    link.follow(hand.stream, '0', { events: (events) => void heard.push(...events) })
    const events = await stored()
    await waitFor(() => heard.length === events.length, { what: 'everything' })
    expect(heard).toEqual(events)
    expect(events.at(-1)?.body).toEqual({ text: odd })
  })

  it('[C15] says at every moment whether it is at the end', async () => {
    const link = connect({ transports: [transport] })
    const heard: string[] = []
    const follow = link.follow(hand.stream, '0', {
      events: (events) => void heard.push(...events.map(({ seq }) => String(seq))),
      caughtUp: () => void heard.push('end'),
    })
    await waitFor(() => heard.at(-1) === 'end', { what: 'the end' })
    await say('more')
    const head = String((await stored()).length)
    await waitFor(() => heard.includes(head), { what: 'what came since' })
    follow.close()
    const another = (await live.startSession()).stream
    link.follow(another, 'now', { events: () => undefined, caughtUp: () => void heard.push('another') })
    await waitFor(() => heard.includes('another'), { what: 'the end of another stream' })
  })

  it('[N3] [N4] a wrong credential ends the link, and a strange stream that follow alone', async () => {
    const link = connect({ transports: [transport] })
    const ended: string[] = []
    link.follow('session:none', '0', { events: () => undefined, ended: ({ code }) => void ended.push(code) })
    await waitFor(() => ended.length === 1, { what: 'the refusal' })
    expect(ended).toEqual(['not_found'])
    const mallory = connect({ transports: [transport], credential: { kind: 'token', token: 'hlt_pat_x_y' } })
    await waitFor(() => mallory.connection.value.status === 'closed', { what: 'the end of the link' })
    expect(mallory.connection.value).toMatchObject({ problem: { code: 'unauthenticated' } })
  })
})

describe('from one transport to another', () => {
  it.each([
    ['refuse', 'pass', 'stream'],
    ['swallow', 'pass', 'stream'],
    ['refuse', 'buffer', 'poll'],
    ['swallow', 'buffer', 'poll'],
  ] as const)(
    '[C16] where upgrades are met with %s and answers with %s it goes over %s',
    async (upgrades, answers, to) => {
      Object.assign(proxy, { upgrades, answers })
      const link = connect()
      await over(link, to)
      const oracle = openOracleClient(link, 'below')
      oracle.follow(hand.stream)
      const accepted = await oracle.command(hand.stream, 'message.send', { text: 'from below' })
      expect(accepted).toMatchObject({ ok: true })
      // The way is free again: it climbs, and nothing is lost on the stairs.
      Object.assign(proxy, { upgrades: 'pass', answers: 'pass' })
      await say('while it climbs')
      await over(link, 'websocket')
      await say('above')
      const events = await stored()
      await waitFor(() => oracle.at(hand.stream) === events.length, { what: 'everything' })
      expect(oracle.violations(hand.stream, events)).toEqual([])
    },
  )

  it('[C16] a stream whose answers are held back after a cut is left long before its silence says so', async () => {
    proxy.upgrades = 'refuse'
    const link = connect({ clock: neverSilent })
    await over(link, 'stream')
    const oracle = openOracleClient(link, 'held back')
    oracle.follow(hand.stream)
    // The first answer to all that is followed has come: from here on the stream stands still.
    await waitFor(() => oracle.at(hand.stream) > 0, { what: 'what there was' })
    proxy.answers = 'buffer'
    // At once it would be taken for something that cuts every answer.
    await waitFor(() => Date.now() - openedAt(link) > 600, { what: 'a while' })
    proxy.cut()
    await over(link, 'poll')
    await say('below')
    const events = await stored()
    await waitFor(() => oracle.at(hand.stream) === events.length, { what: 'everything' })
    expect(oracle.violations(hand.stream, events)).toEqual([])
  })

  it('[C16] the next connection begins with what served last', async () => {
    proxy.upgrades = 'swallow'
    let last: Transport | undefined
    const memory = { recall: () => last, remember: (transport: Transport) => void (last = transport) }
    await over(connect({ transportMemory: memory }), 'stream')
    expect(last).toBe('stream')
    const states: string[] = []
    const next = connect({ transportMemory: memory, clock: never })
    next.connection.watch((state) => void states.push(state.status))
    await over(next, 'stream')
    expect(states).toEqual(['open'])
  })

  const seed = randomSeed('transports')
  it.each(Array.from({ length: 4 }, (_, at) => (seed + at) % 0x100000000))(
    '[C16] [N1] [N2] whatever is switched on and off between, nothing is lost or doubled (seed %i)',
    async (one) => {
      const random = seededRandom(one)
      const oracle = openOracleClient(connect({ random: () => random.float() / 20 }), 'wanderer')
      oracle.follow(hand.stream)
      const sent: Promise<unknown>[] = []
      const seen = new Set<string>()
      for (let act = 0; act < 60; act += 1) {
        random.pick([
          () => void (proxy.upgrades = random.pick(['pass', 'refuse', 'swallow'])),
          () => void (proxy.answers = random.pick(['pass', 'pass', 'buffer', 'refuse'])),
          () => void (proxy.cutAfterMs = random.pick([undefined, 20, 200])),
          () => proxy.cut(),
          () => void sent.push(oracle.command(hand.stream, 'message.send', { text: `m${sent.length}` })),
          () => say(`line ${act}`),
        ])()
        if (random.chance(0.6)) await new Promise((resolve) => setTimeout(resolve, random.int(0, 40)))
        const transport = transportOf(links[0]?.connection ?? { value: { status: 'closed' } })
        if (transport) seen.add(transport)
      }
      Object.assign(proxy, { upgrades: 'pass', answers: 'pass', cutAfterMs: undefined })
      await Promise.all(sent)
      const events = await stored()
      await waitFor(() => oracle.at(hand.stream) === events.length, { what: `everything, after ${[...seen].join()}` })
      expect(oracle.violations(hand.stream, events)).toEqual([])
    },
  )
})

const openedAt = ({ connection: { value } }: Link): number => (value.status === 'open' ? value.since : Date.now())

/** Hurried, but for silence: whoever waits for that waits for ever. */
const neverSilent: Clock = {
  wallMs: () => Date.now(),
  after: (delayMs, call) => (delayMs > 15_000 ? () => undefined : hurried.after(delayMs, call)),
}

/** Nothing that would have to wait happens. */
const never: Clock = {
  wallMs: () => Date.now(),
  after: (delayMs, call) => {
    if (delayMs >= 1_000) return () => undefined
    const timer = setTimeout(call, delayMs)
    return () => clearTimeout(timer)
  },
}
