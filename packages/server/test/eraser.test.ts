import type { Envelope } from '@hotline/protocol/event'
import { handClock } from '@hotline/testing/hand-clock'
import type { HandRunner } from '@hotline/testing/hand-runner'
import { accepted, agentEvent, freely, type LogBench, type OpenLogBench } from '@hotline/testing/log-bench'
import { person } from '@hotline/testing/middle'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { openTestPostgres } from '@hotline/testing/test-postgres'
import { afterAll, describe, expect, test } from 'vitest'
import type { BlobStore } from '../src/blob/blob-store.ts'
import { openFileBlobStore } from '../src/blob/file-blob-store.ts'
import { Feeds } from '../src/feed/feeds.ts'
import { Eraser } from '../src/scheduler/eraser.ts'
import { type Clock, systemClock } from '../src/machine/clock.ts'
import { Attachments } from '../src/session/attachments.ts'
import { begin, dana, hold, type Life, liveOn, prove } from './exchange-life.ts'
import { openSqliteBench, postgresBenches } from './log-benches.ts'

const postgres = await openTestPostgres()
afterAll(() => postgres.stop())

const stores: readonly [string, OpenLogBench][] = [
  ['SQLite', openSqliteBench],
  ['PostgreSQL', postgresBenches(postgres)],
]

interface Erasing extends AsyncDisposable {
  eraser: Eraser
  feeds: Feeds
}

function erasing(life: Life, bench: LogBench, blobs: BlobStore, clock: Clock = systemClock): Erasing {
  const { store, lists } = bench
  const feeds = new Feeds(store, life.bus)
  const fault = (error: unknown): void => void life.faults.push(error)
  const attachments = new Attachments({ blobs, store, lists, clock, fault })
  const eraser = new Eraser({ store, lists, blobs, attachments, feeds, clock, bus: life.bus, fault })
  return {
    eraser,
    feeds,
    [Symbol.asyncDispose]: async () => {
      await eraser[Symbol.asyncDispose]()
      await attachments[Symbol.asyncDispose]()
      feeds[Symbol.dispose]()
    },
  }
}

async function eventsOf({ store }: LogBench, stream: string): Promise<readonly Envelope[]> {
  const stored = await store.read(stream, { after: 0, limit: 10_000, maxBytes: 10_000_000 })
  return stored.map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString('utf8')) as Envelope)
}

const wordsIn = (events: readonly Envelope[]): string => JSON.stringify(events.map(({ body }) => body))

/** Dana's session `s3`, in which something was said, with content beside its events where that is wanted. */
async function talk(life: Life, session = 's3', content?: { digest: string; bytes: number }): Promise<HandRunner> {
  const stream = `session:${session}`
  await life.send(dana, stream, 'session.start', { project: 'p1', agent: 'demo', title: 'A secret title' })
  const hand = await hold([life], session)
  await life.send(dana, stream, 'message.send', { text: 'a secret question' })
  await hand.report({
    type: 'message.completed',
    data: { message: 'm1', chars: 15 },
    body: { text: 'a secret answer' },
  })
  if (content) await hand.ask({ tool: 'run', title: 'A long one', content }, { approval: `long-${session}` })
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

async function withBlobs(): Promise<AsyncDisposable & { blobs: BlobStore; dir: TempDir }> {
  const dir = await openTempDir('hotline-blobs-')
  const blobs = await openFileBlobStore(dir.path)
  return { blobs, dir, [Symbol.asyncDispose]: () => dir.remove() }
}

describe.each(stores)('erasing in %s', (_, open) => {
  test('[TK6] all that was said goes, and what says that it went stays; every chain holds', async () => {
    await using bench = await open()
    await using content = await withBlobs()
    const life = liveOn(bench)
    await using at = erasing(life, bench, content.blobs)
    await begin([life])
    const hand = await talk(life)
    await end(hand, life)
    const before = await eventsOf(bench, hand.stream)
    expect(wordsIn(before)).toContain('a secret answer')
    expect(wordsIn(await eventsOf(bench, 'project:p1'))).toContain('A secret title')

    expect(await life.send(dana, hand.stream, 'session.erase', {})).toMatchObject({ ok: true })
    expect(await at.eraser.erased(hand.stream)).toBe(true)
    const after = await eventsOf(bench, hand.stream)
    expect(wordsIn(after)).not.toMatch(/secret|List/)
    expect(after.slice(0, -1).map(({ hash }) => hash)).toEqual(before.map(({ hash }) => hash))
    expect(after.at(-1)).toMatchObject({
      type: 'content.erased',
      actor: { kind: 'person', id: 'dana' },
      data: { upTo: before.length, reason: 'requested' },
    })
    const lines = await eventsOf(bench, 'project:p1')
    expect(wordsIn(lines)).not.toContain('secret')
    expect((await bench.lists.session('s3'))?.title).toBe('(erased)')
    expect(lines.at(-1)).toMatchObject({ type: 'session.indexed', body: { title: '(erased)' } })
    expect(await prove(bench, [hand.stream, 'project:p1'])).toMatchObject({ faults: [] })
    expect(life.faults).toEqual([])
  })

  test('[TK7] what is not over is refused and stays; again is nothing new, and what came since goes with the next', async () => {
    await using bench = await open()
    await using content = await withBlobs()
    const life = liveOn(bench)
    await using at = erasing(life, bench, content.blobs)
    await begin([life])
    const hand = await talk(life)
    const refused = await life.send(dana, hand.stream, 'session.erase', {})
    expect(refused).toMatchObject({ ok: false, problem: { code: 'invalid_transition', status: 409 } })
    expect(wordsIn(await eventsOf(bench, hand.stream))).toContain('a secret answer')
    await end(hand, life)
    await life.send(dana, hand.stream, 'session.erase', {})
    const { length } = await eventsOf(bench, hand.stream)
    expect(await life.send(dana, hand.stream, 'session.erase', {})).toMatchObject({ ok: true })
    expect(await eventsOf(bench, hand.stream)).toHaveLength(length)
    await life.send(dana, hand.stream, 'session.rename', { title: 'Another secret' })
    expect((await bench.lists.session('s3'))?.title).toBe('Another secret')
    await life.send(dana, hand.stream, 'session.erase', {})
    expect(await at.eraser.erased(hand.stream)).toBe(true)
    expect(wordsIn(await eventsOf(bench, hand.stream))).not.toContain('secret')
    expect(wordsIn(await eventsOf(bench, 'project:p1'))).not.toContain('secret')
    expect(life.faults).toEqual([])
  })

  test('[TK8] nobody below an admin erases', async () => {
    await using bench = await open()
    const life = liveOn(bench)
    await begin([life])
    const hand = await talk(life)
    await end(hand, life)
    for (const role of ['viewer', 'operator', 'approver', 'admin']) {
      await life.send(dana, 'project:p1', 'member.add', { account: role, role })
      const outcome = await life.send(person(role), hand.stream, 'session.erase', {})
      expect([role, outcome.ok]).toEqual([role, role === 'admin'])
    }
  })

  test('[TK9] content beside the events goes, but not what another session speaks of as well', async () => {
    await using bench = await open()
    await using content = await withBlobs()
    const { blobs } = content
    const life = liveOn(bench)
    await using at = erasing(life, bench, blobs)
    await begin([life])
    const put = async (text: string): Promise<{ digest: string; bytes: number }> => {
      const result = await blobs.put('p1', Buffer.from(text), 1_000)
      if (!result.ok) throw new Error(result.reason)
      return { digest: result.blob.digest, bytes: result.blob.sizeBytes }
    }
    const own = await put('of one alone')
    const shared = await put('of two')
    const hands = [await talk(life, 's3', own), await talk(life, 's4', shared), await talk(life, 's5', shared)]
    for (const hand of hands) await end(hand, life)
    // What a former runner told afterwards names one as well.
    const late = await put('told too late')
    const request = { tool: 'run', title: 'Late', content: late }
    const told = {
      ...agentEvent('', 'recovered:1'),
      type: 'report.recovered',
      data: { runner: 'r0', fence: 1, reported: 'approval.requested' },
      body: { data: {}, body: request },
    }
    accepted(await bench.store.append([freely('session:s3', told)]))
    const isThere = async ({ digest }: { digest: string }): Promise<boolean> => {
      const found = await blobs.get('p1', digest)
      found?.content.destroy()
      return found !== undefined
    }
    for (const session of ['s3', 's4']) {
      await life.send(dana, `session:${session}`, 'session.erase', {})
      await at.eraser.erased(`session:${session}`)
    }
    expect([await isThere(own), await isThere(late), await isThere(shared)]).toEqual([false, false, true])
    await life.send(dana, 'session:s5', 'session.erase', {})
    await at.eraser.erased('session:s5')
    expect(await isThere(shared)).toBe(false)
    expect(life.faults).toEqual([])
  })

  test('[TK10] who follows from before hears of it, and gets no words from memory', async () => {
    await using bench = await open()
    await using content = await withBlobs()
    const life = liveOn(bench)
    await using at = erasing(life, bench, content.blobs)
    await begin([life])
    const hand = await talk(life)
    const feed = await at.feeds.open(hand.stream)
    const before = feed?.head ?? 0
    // This one the feed has in memory.
    await life.send(dana, hand.stream, 'message.send', { text: 'a second secret' })
    await end(hand, life)
    const heard: string[] = []
    feed?.listen({ grown: (page) => heard.push(textIn(page.frame(undefined))) })
    await life.send(dana, hand.stream, 'message.send', { text: 'too late' })
    await life.send(dana, hand.stream, 'session.erase', {})
    await at.eraser.erased(hand.stream)
    await expect.poll(() => heard.join('')).toContain('content.erased')
    const whole = await feed?.pageAfter(0)
    const told = whole ? textIn(whole.frame(undefined)) : ''
    const recent = await feed?.pageAfter(before)
    expect(recent && textIn(recent.frame(undefined))).not.toContain('secret')
    expect(told).toContain('content.erased')
    expect(told).not.toContain('secret')
  })

  test('[TK13] a card that is removed is erased, also where the server dies in between; every chain holds', async () => {
    await using bench = await open()
    await using content = await withBlobs()
    const first = liveOn(bench)
    await begin([first])
    const fields = { project: 'p1', title: 'A secret card', description: 'a secret description', labels: ['secret'] }
    for (const task of ['t1', 't2', 't3']) await first.send(dana, `task:${task}`, 'task.create', fields)
    await first.send(dana, 'task:t1', 'task.change', { title: 'Another secret', description: 'more secrets' })
    {
      await using at = erasing(first, bench, content.blobs)
      await first.send(dana, 'task:t1', 'task.remove', {})
      expect(await at.eraser.erased('task:t1')).toBe(true)
    }
    expect(wordsIn(await eventsOf(bench, 'task:t1'))).not.toContain('secret')
    const [created, , removed, erased] = await eventsOf(bench, 'task:t1')
    expect([created?.data, removed?.type, erased?.type]).toMatchObject([
      { task: 't1', column: 'todo' },
      'task.removed',
      'content.erased',
    ])
    // It is said, and the server is gone before anything went.
    await first.send(dana, 'task:t2', 'task.remove', {})
    expect(wordsIn(await eventsOf(bench, 'task:t2'))).toContain('secret')
    await bench.reopen()
    const second = liveOn(bench, first.nowMs())
    await using at = erasing(second, bench, content.blobs)
    expect(await at.eraser.erased('task:t2')).toBe(true)
    expect(wordsIn(await eventsOf(bench, 'task:t2'))).not.toContain('secret')
    const lines = await eventsOf(bench, 'project:p1')
    const of = (task: string): string => wordsIn(lines.filter(({ subject }) => subject === `task:${task}`))
    expect([of('t1'), of('t2')].join('')).not.toContain('secret')
    // What nobody removed is as it was.
    expect(of('t3')).toContain('A secret card')
    expect(wordsIn(await eventsOf(bench, 'task:t3'))).toContain('a secret description')
    expect(await prove(bench, ['task:t1', 'task:t2', 'project:p1'])).toMatchObject({ faults: [] })
    expect([...first.faults, ...second.faults]).toEqual([])
  })

  test('[RT9] what could not be erased is tried again, without a new start', async () => {
    await using bench = await open()
    await using content = await withBlobs()
    const life = liveOn(bench)
    await begin([life])
    const clock = handClock()
    const { blobs } = content
    let isBroken = true
    const flaky: BlobStore = {
      put: (...given) => blobs.put(...given),
      get: (...given) => blobs.get(...given),
      delete: (...given) => (isBroken ? Promise.reject(new Error('the disk')) : blobs.delete(...given)),
      all: () => blobs.all(),
      deleteProject: (project) => blobs.deleteProject(project),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    }
    await using at = erasing(life, bench, flaky, clock)
    const hand = await talk(life, 's3', { digest: 'a'.repeat(64), bytes: 5 })
    await end(hand, life)
    await life.send(dana, hand.stream, 'session.erase', {})
    expect(await at.eraser.erased(hand.stream)).toBe(false)
    expect(wordsIn(await eventsOf(bench, hand.stream))).toContain('a secret answer')
    isBroken = false
    clock.advance(60_000)
    await expect.poll(async () => wordsIn(await eventsOf(bench, hand.stream))).not.toContain('secret')
    expect(life.faults).not.toEqual([])
  })

  test('[L52] what the log says is erased is gone after the next start', async () => {
    await using bench = await open()
    await using content = await withBlobs()
    const first = liveOn(bench)
    await begin([first])
    const hand = await talk(first)
    await end(hand, first)
    const other = await talk(first, 's4')
    await end(other, first)
    // It is said, and the server is gone before anything went, or in the middle of it.
    for (const { stream } of [hand, other]) await first.send(dana, stream, 'session.erase', {})
    await bench.store.erase(other.stream, { upTo: 4 })
    for (const { stream } of [hand, other]) expect(wordsIn(await eventsOf(bench, stream))).toContain('a secret answer')
    await bench.reopen()
    const second = liveOn(bench, first.nowMs())
    await using at = erasing(second, bench, content.blobs)
    for (const { stream } of [hand, other]) {
      expect(await at.eraser.erased(stream)).toBe(true)
      expect(wordsIn(await eventsOf(bench, stream))).not.toContain('secret')
    }
    expect(wordsIn(await eventsOf(bench, 'project:p1'))).not.toContain('secret')
    expect([...first.faults, ...second.faults]).toEqual([])
    // The next start does not look for it again.
    const { length } = await eventsOf(bench, hand.stream)
    expect(await bench.lists.fact(`erased:${hand.stream}`)).toBe(String(length))
  })
})

const textIn = (frame: { json: Uint8Array }): string => Buffer.from(frame.json).toString('utf8')
