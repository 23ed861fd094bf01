import type { Envelope } from '@hotline/protocol/event'
import { limits } from '@hotline/protocol/limits'
import { type HandClock, handClock } from '@hotline/testing/hand-clock'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { agentEvent, type LogBench, type OpenLogBench } from '@hotline/testing/log-bench'
import { openTempDir } from '@hotline/testing/temp-dir'
import { openTestPostgres } from '@hotline/testing/test-postgres'
import { afterAll, describe, expect, test } from 'vitest'
import { openFileBlobStore } from '../src/blob/file-blob-store.ts'
import { Feeds } from '../src/feed/feeds.ts'
import { systemPrincipal } from '../src/scheduler/approval-timer.ts'
import { systemIds } from '../src/machine/ids.ts'
import { Eraser } from '../src/scheduler/eraser.ts'
import { keepOutputFor } from '../src/scheduler/retention.ts'
import { Attachments } from '../src/session/attachments.ts'
import { begin, dana, hold, type Life, liveOn, prove } from './exchange-life.ts'
import { openSqliteBench, postgresBenches } from './log-benches.ts'

const dayMs = 24 * 60 * 60_000
const hourMs = 60 * 60_000

const postgres = await openTestPostgres()
afterAll(() => postgres.stop())

const stores: readonly [string, OpenLogBench][] = [
  ['SQLite', openSqliteBench],
  ['PostgreSQL', postgresBenches(postgres)],
]

interface Keeping extends AsyncDisposable {
  eraser: Eraser
  /** So much time goes by for all. */
  pass: (ms: number) => void
  /** Reads what is awaited an hour later each time: a round that is under way is not called again by the clock. */
  hourly: <T>(read: () => Promise<T>) => () => Promise<T>
}

/** A server that keeps output for 30 days. */
async function keeping(life: Life, { store, lists }: LogBench): Promise<Keeping> {
  const dir = await openTempDir('hotline-blobs-')
  const blobs = await openFileBlobStore(dir.path)
  const feeds = new Feeds(store, life.bus)
  const fault = (error: unknown): unknown => life.faults.push(error)
  const hand = handClock()
  const clock: HandClock = { ...hand, wallMs: () => life.nowMs() }
  const attachments = new Attachments({ blobs, store, lists, clock, fault })
  const eraser = new Eraser({ store, lists, blobs, attachments, feeds, clock, bus: life.bus, fault })
  let ids = 0
  const retention = keepOutputFor({
    exchange: life.exchange,
    lists,
    store,
    clock,
    ids: { ...systemIds(() => life.nowMs()), uuid: () => `retention-${life.nowMs()}-${(ids += 1)}` },
    fault,
    erased: (stream) => eraser.erased(stream),
    days: 30,
  })
  const pass = (ms: number): void => {
    life.pass(ms)
    hand.advance(ms)
  }
  return {
    eraser,
    pass,
    hourly: (read) => () => {
      pass(hourMs)
      return read()
    },
    [Symbol.asyncDispose]: async () => {
      await retention[Symbol.asyncDispose]()
      await eraser[Symbol.asyncDispose]()
      await attachments[Symbol.asyncDispose]()
      feeds[Symbol.dispose]()
      await dir.remove()
    },
  }
}

async function eventsOf({ store }: LogBench, stream: string): Promise<readonly Envelope[]> {
  const stored = await store.read(stream, { after: 0, limit: 10_000, maxBytes: 10_000_000 })
  return stored.map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString('utf8')) as Envelope)
}

const wordsIn = (events: readonly Envelope[]): string => JSON.stringify(events.map(({ body }) => body))
const erasures = async (bench: LogBench, stream: string): Promise<readonly Envelope[]> =>
  (await eventsOf(bench, stream)).filter(({ type }) => type === 'content.erased')

/** A session in which people, the agent and its tools said something. */
async function talk(life: Life, session = 's3'): Promise<HandRunner> {
  const stream = `session:${session}`
  await life.send(dana, stream, 'session.start', { project: 'p1', agent: 'demo', title: 'A title' })
  const hand = await hold([life], session)
  await life.send(dana, stream, 'message.send', { text: 'a question' })
  await hand.report({ type: 'step.started', data: { step: 'x1', kind: 'execute' }, body: { title: 'Run it' } })
  await hand.report({ type: 'step.progressed', data: { step: 'x1' }, body: { output: 'printed half' } })
  await hand.report({ type: 'step.finished', data: { step: 'x1', outcome: 'done' }, body: { output: 'printed whole' } })
  const output = { source: 'stdout', encoding: 'utf8', bytes: 14 } as const
  await hand.report({ type: 'output.appended', data: output, body: { text: 'printed a line' } })
  await hand.report({ type: 'message.delta', data: { message: 'm1' }, body: { text: 'one piece' } })
  await hand.report({ type: 'message.completed', data: { message: 'm1', chars: 9 }, body: { text: 'an answer' } })
  await hand.report({ type: 'message.delta', data: { message: 'm2' }, body: { text: 'broken off here' } })
  return hand
}

async function end(hand: HandRunner, life: Life): Promise<void> {
  await life.send(dana, hand.stream, 'session.complete', {})
  await hand.report({
    type: 'session.state_changed',
    data: { from: 'active', to: 'completed', reason: 'goal_reached' },
    body: {},
  })
}

describe.each(stores)('keeping output for a time in %s', (_, open) => {
  test('[RT1] output goes after its days, what was said and done stays, and every chain holds', async () => {
    await using bench = await open()
    const life = liveOn(bench)
    await begin([life])
    await using at = await keeping(life, bench)
    const hand = await talk(life)
    await end(hand, life)
    const before = await eventsOf(bench, hand.stream)
    expect(wordsIn(before)).toContain('printed')
    at.pass(30 * dayMs + hourMs)
    await expect.poll(at.hourly(async () => wordsIn(await eventsOf(bench, hand.stream)))).not.toContain('printed')
    const after = await eventsOf(bench, hand.stream)
    for (const said of ['a question', 'an answer', 'Run it', 'A title']) expect(wordsIn(after)).toContain(said)
    expect(after.slice(0, -1).map(({ hash }) => hash)).toEqual(before.map(({ hash }) => hash))
    expect((await bench.lists.session('s3'))?.title).toBe('A title')
    expect(await prove(bench, [hand.stream, 'project:p1'])).toMatchObject({ faults: [] })
    expect(life.faults).toEqual([])
  })

  test('[RT7] pieces go where the whole is there, and stay of what was broken off', async () => {
    await using bench = await open()
    const life = liveOn(bench)
    await begin([life])
    await using at = await keeping(life, bench)
    const hand = await talk(life)
    await end(hand, life)
    at.pass(31 * dayMs)
    await expect.poll(at.hourly(async () => wordsIn(await eventsOf(bench, hand.stream)))).not.toContain('one piece')
    const words = wordsIn(await eventsOf(bench, hand.stream))
    expect(words).toContain('an answer')
    expect(words).toContain('broken off here')
    expect(life.faults).toEqual([])
  })

  test('[RT2] the log says it once, with the days, and of nothing that is under way or younger', async () => {
    await using bench = await open()
    const life = liveOn(bench)
    await begin([life])
    await using at = await keeping(life, bench)
    const old = await talk(life)
    const live = await talk(life, 's4')
    await end(old, life)
    const { length } = await eventsOf(bench, old.stream)
    at.pass(20 * dayMs)
    const young = await talk(life, 's5')
    await end(young, life)
    at.pass(10 * dayMs + hourMs)
    await expect.poll(at.hourly(() => erasures(bench, old.stream))).toHaveLength(1)
    expect(await erasures(bench, old.stream)).toMatchObject([
      { actor: { kind: 'system' }, data: { upTo: length, reason: 'retention', kind: 'output', days: 30 } },
    ])
    // The next one is said in a later round over all: what was there before was looked at again.
    at.pass(20 * dayMs)
    await expect.poll(at.hourly(() => erasures(bench, young.stream))).toHaveLength(1)
    expect(await erasures(bench, old.stream)).toHaveLength(1)
    expect(await erasures(bench, live.stream)).toEqual([])
    expect(wordsIn(await eventsOf(bench, live.stream))).toContain('printed')
    expect(life.faults).toEqual([])
  })

  test('[RT8] what a machine tells of output afterwards goes too, when its own days are over', async () => {
    await using bench = await open()
    const life = liveOn(bench)
    await begin([life])
    await using at = await keeping(life, bench)
    const hand = await talk(life)
    await end(hand, life)
    at.pass(31 * dayMs)
    await expect.poll(at.hourly(() => erasures(bench, hand.stream))).toHaveLength(1)
    const late = agentEvent('printed late')
    const { length } = await eventsOf(bench, hand.stream)
    const event = { ...late, type: 'output.appended', at: new Date(life.nowMs()).toISOString() }
    await bench.store.append([{ stream: hand.stream, expect: 'any', events: [event] }])
    expect(await eventsOf(bench, hand.stream)).toHaveLength(length + 1)
    at.pass(20 * dayMs)
    await at.hourly(() => Promise.resolve())()
    expect(wordsIn(await eventsOf(bench, hand.stream))).toContain('printed late')
    at.pass(11 * dayMs)
    await expect.poll(at.hourly(async () => wordsIn(await eventsOf(bench, hand.stream)))).not.toContain('printed late')
    expect(await erasures(bench, hand.stream)).toHaveLength(2)
    at.pass(31 * dayMs)
    for (let hours = 0; hours < 5; hours += 1) await at.hourly(() => Promise.resolve())()
    expect(await erasures(bench, hand.stream)).toHaveLength(2)
    expect(life.faults).toEqual([])
  })

  test('[RT8] it goes however much else that machine tells before it', async () => {
    await using bench = await open()
    const life = liveOn(bench)
    await begin([life])
    await using at = await keeping(life, bench)
    const hand = await talk(life)
    await end(hand, life)
    at.pass(31 * dayMs)
    await expect.poll(at.hourly(() => erasures(bench, hand.stream))).toHaveLength(1)
    const now = new Date(life.nowMs()).toISOString()
    const other = { ...agentEvent('said late'), type: 'notice.posted' }
    const others = Array.from({ length: limits.pageEvents + 1 }, () => ({ ...other, at: now }))
    const late = { ...agentEvent('printed late'), type: 'output.appended', at: now }
    for (const events of [others, [late]]) {
      expect(await bench.store.append([{ stream: hand.stream, expect: 'any', events }])).toMatchObject({ ok: true })
    }
    expect(wordsIn(await eventsOf(bench, hand.stream))).toContain('printed late')
    at.pass(31 * dayMs)
    await expect.poll(at.hourly(async () => wordsIn(await eventsOf(bench, hand.stream)))).not.toContain('printed late')
    expect(wordsIn(await eventsOf(bench, hand.stream))).toContain('said late')
    expect(life.faults).toEqual([])
  })

  test('[RT3] what the log says of output is carried out after the next start', async () => {
    await using bench = await open()
    const first = liveOn(bench)
    await begin([first])
    const hand = await talk(first)
    await end(hand, first)
    await first.send(systemPrincipal, hand.stream, 'session.erase_output', { days: 30 })
    expect(wordsIn(await eventsOf(bench, hand.stream))).toContain('printed')
    await bench.reopen()
    const second = liveOn(bench, first.nowMs())
    await using at = await keeping(second, bench)
    expect(await at.eraser.erased(hand.stream)).toBe(true)
    expect(wordsIn(await eventsOf(bench, hand.stream))).not.toContain('printed')
    expect(wordsIn(await eventsOf(bench, hand.stream))).toContain('an answer')
    expect([...first.faults, ...second.faults]).toEqual([])
  })
})
