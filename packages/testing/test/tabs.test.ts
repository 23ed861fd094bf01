import type { Link } from '@hotline/client/link'
import { memoryOutbox, type Outbox } from '@hotline/client/outbox'
import { openSharedLink, type SharedLink, type SharedLinkOptions } from '@hotline/client/tabs/open-shared-link'
import type { Envelope } from '@hotline/protocol/event'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { HandRunner } from '../src/hand-runner.ts'
import { type LiveServer, startLiveServer } from '../src/live-server.ts'
import { openOracleClient, type OracleClient } from '../src/oracle-client.ts'
import { randomSeed, seededRandom } from '../src/seed.ts'
import { openSleepyTab, type SleepyTab } from '../src/sleepy-tab.ts'
import { waitFor } from '../src/wait-for.ts'

let live: LiveServer
let hand: HandRunner
let outbox: Outbox
const tabs: SharedLink[] = []

beforeAll(async () => {
  live = await startLiveServer({ env: { HOTLINE_LIMIT_REQUESTS_PER_PRINCIPAL: '100000' } })
})
beforeEach(async () => {
  outbox = memoryOutbox()
  hand = await live.startSession()
})
afterEach(async () => {
  live.proxy.restore()
  for (const tab of tabs.splice(0)) await tab[Symbol.asyncDispose]()
})
afterAll(() => live[Symbol.asyncDispose]())

interface Opened {
  link: SharedLink
  tab: SleepyTab
  oracle: OracleClient
}

async function accountId(): Promise<string> {
  const me = await fetch(`${live.url}/api/me`, { headers: { authorization: `Bearer ${live.token}` } })
  return ((await me.json()) as { id: string }).id
}

/** A tab of the same browser, in which waits of seconds are tenths. */
function openTab(account: string, more: Partial<SharedLinkOptions> = {}): Opened {
  const tab = openSleepyTab(10)
  const link = openSharedLink({
    url: live.proxyUrl,
    credential: { kind: 'token', token: live.token },
    account,
    outbox,
    random: () => 0,
    clock: tab.clock,
    openChannel: tab.openChannel,
    ...more,
  })
  tabs.push(link)
  return { link, tab, oracle: openOracleClient(link, `tab ${tabs.length}`) }
}

const isOpen = ({ connection }: Link): Promise<unknown> =>
  waitFor(() => connection.value.status === 'open', { what: 'the connection' })

/** Sockets of people at the server, as its metrics count them. */
async function sockets(): Promise<number> {
  const answer = await fetch(`${live.url}/metrics`, { headers: { authorization: `Bearer ${live.token}` } })
  const line = /^hotline_connections\{kind="person"\} (\d+)$/m.exec(await answer.text())
  return Number(line?.[1] ?? Number.NaN)
}

async function say(text: string): Promise<void> {
  const data = { source: 'stdout', encoding: 'utf8', bytes: text.length } as const
  await hand.report({ type: 'output.appended', data, body: { text } })
}

async function expectAll(oracles: readonly OracleClient[]): Promise<Envelope[]> {
  const events = await live.stored(hand.session)
  for (const oracle of oracles) {
    await waitFor(() => oracle.at(hand.stream) === events.length, {
      what: `everything: ${events.length}, and not ${oracles.map((one) => one.at(hand.stream)).join()}`,
    })
    expect(oracle.violations(hand.stream, events)).toEqual([])
  }
  return events
}

const textsOf = (events: readonly Envelope[]): string[] =>
  events.filter(({ type }) => type === 'message.posted').map(({ body }) => String(body?.['text']))

describe.skipIf(!('locks' in navigator))('tabs of one browser', () => {
  it('[C25] share one connection; each gets everything and gives commands, which happen once', async () => {
    const account = await accountId()
    const before = await sockets()
    const opened = Array.from({ length: 6 }, () => openTab(account))
    for (const [at, { link, oracle }] of opened.entries()) {
      await isOpen(link)
      oracle.follow(hand.stream)
      await say(`line ${at}`)
    }
    expect(await sockets()).toBe(before + 1)
    const sent = opened.flatMap(({ oracle }, at) =>
      [0, 1, 2].map((number) => oracle.command(hand.stream, 'message.send', { text: `${at} ${number}` })),
    )
    expect((await Promise.all(sent)).every(({ ok }) => ok)).toBe(true)
    const texts = textsOf(await expectAll(opened.map(({ oracle }) => oracle)))
    expect(texts.toSorted()).toEqual(opened.flatMap((_, at) => [0, 1, 2].map((number) => `${at} ${number}`)))
    for (const [at] of opened.entries()) {
      const own = texts.filter((text) => text.startsWith(`${at} `))
      expect(own).toEqual([0, 1, 2].map((number) => `${at} ${number}`))
    }
    expect(await outbox.all()).toEqual([])
  })

  it('[C25] a tab that comes later hears who watches, and what waits', async () => {
    const account = await accountId()
    const first = openTab(account)
    await isOpen(first.link)
    const heard: string[] = []
    first.link.ephemeral(({ kind }) => void heard.push(kind))
    first.oracle.follow(hand.stream)
    await waitFor(() => heard.includes('watching'), { what: 'who watches' })
    const second = openTab(account)
    const later: (readonly string[] | undefined)[] = []
    second.link.ephemeral(({ kind, people }) => kind === 'watching' && void later.push(people))
    second.oracle.follow(hand.stream)
    await waitFor(() => later.length > 0, { what: 'who watches, in the second tab' })
    expect(later[0]).toEqual([account])
    live.proxy.refuse()
    live.proxy.cut()
    await waitFor(() => second.link.connection.value.status === 'waiting', { what: 'the loss, in the second tab' })
    const sent = first.oracle.command(hand.stream, 'message.send', { text: 'later' })
    const taken = second.oracle.command(hand.stream, 'message.send', { text: 'never' })
    await waitFor(() => first.link.outbox.value.length === 2, { what: 'both, in the first tab' })
    await waitFor(() => second.link.outbox.value.length === 2, { what: 'both, in the second tab' })
    const wanted = second.link.outbox.value.find(({ data }) => (data as { text: string }).text === 'never')
    // It is the other tab's to take back as well.
    expect(await first.link.takeBack(wanted?.id ?? '')).toBe(true)
    expect(await taken).toMatchObject({ ok: false })
    live.proxy.restore()
    expect(await sent).toMatchObject({ ok: true })
    expect(textsOf(await expectAll([first.oracle, second.oracle]))).toEqual(['later'])
  })

  it('[C26] the leader is closed, or hangs, in the middle of commands: another leads, all is there once', async () => {
    const account = await accountId()
    const first = openTab(account)
    await isOpen(first.link)
    const others = Array.from({ length: 3 }, () => openTab(account))
    for (const { link, oracle } of [first, ...others]) {
      await isOpen(link)
      oracle.follow(hand.stream)
    }
    await say('one')
    await expectAll([first, ...others].map(({ oracle }) => oracle))
    const sent = others.map(({ oracle }, at) => oracle.command(hand.stream, 'message.send', { text: `a${at}` }))
    await first.link[Symbol.asyncDispose]()
    await say('two')
    await Promise.all(sent)
    await expectAll(others.map(({ oracle }) => oracle))
    // Whichever leads now, one after another of them hangs; the last has to lead.
    const [second, third, fourth] = others
    second?.tab.freeze()
    third?.tab.freeze()
    const alone = fourth?.oracle.command(hand.stream, 'message.send', { text: 'over there' })
    await say('three')
    expect(await alone).toMatchObject({ ok: true })
    await expectAll(fourth ? [fourth.oracle] : [])
    second?.tab.thaw()
    third?.tab.thaw()
    const events = await expectAll(others.map(({ oracle }) => oracle))
    expect(textsOf(events).toSorted()).toEqual(['a0', 'a1', 'a2', 'over there'])
    expect(await outbox.all()).toEqual([])
  })

  it('[C19] who signs out in one tab has signed out in all; another account hears nothing of it', async () => {
    const account = await accountId()
    const told: number[] = []
    const opened = [0, 1, 2].map((at) => openTab(account, { signedOut: () => void told.push(at) }))
    const other = openTab('another account', { credential: { kind: 'token', token: live.token } })
    for (const { link } of opened) await isOpen(link)
    await opened[1]?.link.signOut()
    for (const { link } of opened) {
      await waitFor(() => link.connection.value.status === 'closed', { what: 'the end of each' })
      expect(link.connection.value).toMatchObject({ problem: { code: 'unauthenticated' } })
    }
    expect(told.toSorted((a, b) => a - b)).toEqual([0, 2])
    expect(await opened[0]?.link.command(hand.stream, 'message.send', { text: 'too late' })).toMatchObject({
      ok: false,
      problem: { code: 'unauthenticated' },
    })
    // The token is not that account's: what was meant for one is never sent as another.
    await waitFor(() => other.link.connection.value.status === 'closed', { what: 'the end of the other' })
    expect(other.link.connection.value).toMatchObject({ problem: { detail: /Somebody else/ } })
  })

  it('[C19] over HTTP, too, a connection that is somebody else’s is not used', async () => {
    for (const transport of ['stream', 'poll'] as const) {
      const { link } = openTab('nobody', { transports: [transport] })
      await waitFor(() => link.connection.value.status === 'closed', { what: `the end over ${transport}` })
      expect(link.connection.value).toMatchObject({ problem: { code: 'unauthenticated' } })
    }
  })

  it('[C20] a tab that does not read is left behind, and gets everything when it reads again', async () => {
    const account = await accountId()
    const leader = openTab(account)
    await isOpen(leader.link)
    const slow = openTab(account)
    await isOpen(slow.link)
    for (const { oracle } of [leader, slow]) oracle.follow(hand.stream)
    await say('first')
    await expectAll([leader.oracle, slow.oracle])
    slow.tab.freeze()
    for (let at = 0; at < 60; at += 1) await say(`${at} ${'x'.repeat(120_000)}`)
    await expectAll([leader.oracle])
    slow.tab.thaw()
    await expectAll([slow.oracle])
  })

  it('[C25] where a browser has no locks, each tab has its own connection', async () => {
    const account = await accountId()
    const before = await sockets()
    const locks = Object.getOwnPropertyDescriptor(navigator, 'locks')
    Object.defineProperty(navigator, 'locks', { configurable: true, value: undefined })
    try {
      const opened = [0, 1].map(() => openTab(account))
      for (const { link } of opened) await isOpen(link)
      expect(await sockets()).toBe(before + 2)
      await opened[0]?.link.signOut()
      await waitFor(() => opened[1]?.link.connection.value.status === 'closed', { what: 'the end of the other' })
    } finally {
      if (locks) Object.defineProperty(navigator, 'locks', locks)
      else Reflect.deleteProperty(navigator, 'locks')
    }
  })

  it('[C25] [N4] [N5] follows end, begin anew and tell of typing through the leader as on a link of one’s own', async () => {
    const account = await accountId()
    const leader = openTab(account)
    await isOpen(leader.link)
    const tab = openTab(account)
    await isOpen(tab.link)
    const heard: string[] = []
    tab.link.follow('session:none', '0', { events: () => undefined, ended: ({ code }) => void heard.push(code) })
    await waitFor(() => heard.includes('not_found'), { what: 'the refusal' })
    tab.link.follow(hand.stream, 'another1.1', {
      events: () => undefined,
      reset: (head) => void heard.push(head.startsWith('another1') ? 'wrong' : 'reset'),
    })
    await waitFor(() => heard.includes('reset'), { what: 'the reset' })
    expect(() => tab.link.follow(hand.stream, 'nonsense', { events: () => undefined })).toThrow(RangeError)
    const now = tab.link.follow(hand.stream, 'now', { events: () => undefined, caughtUp: (at) => void heard.push(at) })
    await waitFor(() => heard.at(-1)?.includes('.'), { what: 'the end' })
    expect(now.cursor).toBe(heard.at(-1))
    now.close()
    tab.link.typing(hand.stream)
    tab.link.wake()
    tab.link.reconnect()
    tab.link.recall()
    const me = await tab.link.request<{ id: string }>('GET', '/api/me')
    expect(me).toMatchObject({ ok: true, value: { id: account } })
    // What an agent does is told to who begins to follow the project later as well.
    const told: string[] = []
    for (const { link } of [leader, tab]) {
      link.ephemeral(({ kind, doings }) => kind === 'doing' && void told.push(doings?.[0]?.session ?? ''))
    }
    leader.link.follow('project:default', 'now', { events: () => undefined })
    await hand.report(
      { type: 'turn.started', data: { turn: 't1' } },
      { type: 'step.started', data: { step: 's1', turn: 't1', kind: 'edit' }, body: { title: 'Edit', locations: [] } },
    )
    await waitFor(() => told.includes(hand.session), { what: 'what the agent does' })
    const before = told.length
    tab.link.follow('project:default', 'now', { events: () => undefined })
    await waitFor(() => told.length > before, { what: 'the same in the other tab' })
  })

  it('[C25] [C10] commands of a tab are refused, taken back and given up as on a link of one’s own', async () => {
    const account = await accountId()
    const leader = openTab(account)
    await isOpen(leader.link)
    const { link } = openTab(account)
    await isOpen(link)
    const half = await link.command(hand.stream, 'message.send', { text: '\ud800' })
    expect(half).toMatchObject({ ok: false, problem: { code: 'invalid_request' } })
    const over = AbortSignal.abort()
    expect(await link.command(hand.stream, 'message.send', { text: 'a' }, { signal: over })).toMatchObject({
      ok: false,
    })
    const id = crypto.randomUUID()
    const twice = [1, 2].map(() => link.command(hand.stream, 'message.send', { text: 'once' }, { id }))
    expect((await Promise.all(twice)).every(({ ok }) => ok)).toBe(true)
    live.proxy.refuse()
    live.proxy.cut()
    await waitFor(() => link.connection.value.status === 'waiting', { what: 'the loss' })
    const signals = [new AbortController(), new AbortController()]
    const given = signals.map(({ signal }, at) =>
      link.command(hand.stream, 'message.send', { text: `never ${at}` }, { signal }),
    )
    // One before it is kept, and one that the leader has.
    signals[0]?.abort()
    await waitFor(() => leader.link.outbox.value.length === 1, { what: 'the other, at the leader' })
    signals[1]?.abort()
    for (const outcome of await Promise.all(given)) expect(outcome).toMatchObject({ ok: false })
    expect(await link.takeBack(crypto.randomUUID())).toBe(false)
    const many = Array.from({ length: 1_001 }, (_, at) => link.command(hand.stream, 'message.send', { text: `${at}` }))
    expect(await many.at(-1)).toMatchObject({ ok: false, problem: { code: 'queue_full' } })
    await link[Symbol.asyncDispose]()
    expect(await link.takeBack(crypto.randomUUID())).toBe(false)
    expect((await Promise.all(many)).some(({ ok }) => ok)).toBe(false)
  })

  it('[C26] in a private window, where each tab keeps its commands in memory, those of who stays happen once', async () => {
    const account = await accountId()
    const opened = Array.from({ length: 4 }, () => openTab(account, { outbox: memoryOutbox() }))
    for (const { link, oracle } of opened) {
      await isOpen(link)
      oracle.follow(hand.stream)
    }
    const texts: string[] = []
    const sent: Promise<unknown>[] = []
    while (opened.length > 1) {
      for (const { oracle } of opened.slice(1)) {
        texts.push(`m${texts.length}`)
        sent.push(oracle.command(hand.stream, 'message.send', { text: texts.at(-1) ?? '' }))
      }
      const leader = opened.shift()
      if (texts.length > 3) leader?.tab.freeze()
      else await leader?.link[Symbol.asyncDispose]()
      expect(await Promise.all(sent)).toEqual(sent.map(() => expect.objectContaining({ ok: true }) as object))
    }
    const events = await expectAll(opened.map(({ oracle }) => oracle))
    expect(textsOf(events).toSorted()).toEqual(texts.toSorted())
  })

  const seed = randomSeed('tabs')
  it.each(Array.from({ length: 6 }, (_, at) => (seed + at) % 0x100000000))(
    '[C26] [N1] [N2] whatever happens to tabs and network, nothing is lost or doubled (seed %i)',
    async (one) => {
      const random = seededRandom(one)
      const account = await accountId()
      const opened = new Set<Opened>()
      const all: OracleClient[] = []
      const begin = (): void => {
        const tab = openTab(account, { random: () => random.float() / 20 })
        tab.oracle.follow(hand.stream)
        all.push(tab.oracle)
        opened.add(tab)
      }
      for (let at = 0; at < 4; at += 1) begin()
      const frozen = new Set<Opened>()
      const sent: Promise<unknown>[] = []
      const texts: string[] = []
      for (let act = 0; act < 60; act += 1) {
        const who = random.pick([...opened])
        await random.pick<() => unknown>([
          () => opened.size < 6 && begin(),
          () => {
            // What it has given waits in the outbox for another tab.
            if (opened.size < 3) return
            opened.delete(who)
            frozen.delete(who)
            who.tab.thaw()
            void who.link[Symbol.asyncDispose]()
          },
          () => {
            if (frozen.size + 1 >= opened.size) return
            who.tab.freeze()
            frozen.add(who)
          },
          () => {
            who.tab.thaw()
            frozen.delete(who)
          },
          () => live.proxy.cut(),
          () => say(`line ${act}`),
          () => say(`line ${act}`),
          ...Array.from({ length: 3 }, () => () => {
            const text = `m${texts.length}`
            texts.push(text)
            sent.push(who.oracle.command(hand.stream, 'message.send', { text }))
          }),
        ])()
        if (random.chance(0.5)) await new Promise((resolve) => setTimeout(resolve, random.int(0, 150)))
      }
      for (const { tab } of frozen) tab.thaw()
      await Promise.all(sent)
      await waitFor(async () => (await outbox.all()).length === 0, { what: 'the outbox to be empty' })
      const events = await expectAll([...opened].map(({ oracle }) => oracle))
      for (const oracle of all) expect(oracle.violations(hand.stream, events, 'open')).toEqual([])
      expect(textsOf(events).toSorted()).toEqual(texts.toSorted())
    },
  )
})
