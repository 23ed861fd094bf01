import { handClock } from '@hotline/testing/hand-clock'
import type { LogBench, OpenLogBench } from '@hotline/testing/log-bench'
import { openTempDir } from '@hotline/testing/temp-dir'
import { openTestPostgres } from '@hotline/testing/test-postgres'
import { afterAll, describe, expect, test } from 'vitest'
import type { BlobStore } from '../src/blob/blob-store.ts'
import { openFileBlobStore } from '../src/blob/file-blob-store.ts'
import { Feeds } from '../src/feed/feeds.ts'
import { Eraser } from '../src/scheduler/eraser.ts'
import { Attachments } from '../src/session/attachments.ts'
import { begin, dana, hold, type Life, liveOn } from './exchange-life.ts'
import { openSqliteBench, postgresBenches } from './log-benches.ts'

const postgres = await openTestPostgres()
afterAll(() => postgres.stop())

const stores: readonly [string, OpenLogBench][] = [
  ['SQLite', openSqliteBench],
  ['PostgreSQL', postgresBenches(postgres)],
]
const hourMs = 60 * 60 * 1_000

interface Files extends AsyncDisposable {
  attachments: Attachments
  blobs: BlobStore
  clock: ReturnType<typeof handClock>
  eraser: Eraser
  /** Uploads as dana; answers how a message names it. */
  put(session: string, name: string, text: string): Promise<{ digest: string; name: string }>
  /** Whether its bytes are there. */
  isThere(digest: string): Promise<boolean>
}

async function filesOf(bench: LogBench, life: Life): Promise<Files> {
  const dir = await openTempDir('hotline-files-')
  const blobs = await openFileBlobStore(dir.path)
  const clock = handClock()
  const { store, lists } = bench
  const fault = (error: unknown): void => void life.faults.push(error)
  const attachments = new Attachments({ blobs, store, lists, clock, fault })
  const feeds = new Feeds(store, life.bus)
  const eraser = new Eraser({ store, lists, blobs, attachments, feeds, clock, bus: life.bus, fault })
  return {
    attachments,
    blobs,
    clock,
    eraser,
    put: async (session, name, text) => {
      const kept = await attachments.put({ session, project: 'p1', by: 'person:dana', name }, bytesOf(text))
      if ('code' in kept) throw new Error(kept.detail)
      return { digest: kept.digest, name }
    },
    isThere: async (digest) => {
      const found = await blobs.get('p1', digest)
      found?.content.destroy()
      return found !== undefined
    },
    [Symbol.asyncDispose]: async () => {
      await eraser[Symbol.asyncDispose]()
      await attachments[Symbol.asyncDispose]()
      feeds[Symbol.dispose]()
      await blobs[Symbol.asyncDispose]()
      await dir.remove()
    },
  }
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array, void, undefined> {
  yield Buffer.from(text)
}

const send = (life: Life, session: string, attachments: readonly { digest: string; name: string }[]) =>
  life.send(dana, `session:${session}`, 'message.send', { text: '', attachments })

describe.each(stores)('files of messages in %s', (_, open) => {
  test('[AT8] what nobody sends goes after a day, at a start too; what was sent stays', async () => {
    await using bench = await open()
    const life = liveOn(bench)
    await begin([life])
    await using files = await filesOf(bench, life)
    const sent = await files.put('s1', 'sent.txt', 'sent')
    const unsent = await files.put('s1', 'unsent.txt', 'unsent')
    const both = await files.put('s1', 'both.txt', 'sent and unsent')
    await files.put('s2', 'both.txt', 'sent and unsent')
    expect(await send(life, 's1', [sent, both])).toMatchObject({ ok: true })

    files.clock.advance(24 * hourMs)
    life.pass(24.5 * hourMs)
    expect(await files.isThere(unsent.digest)).toBe(true)
    // It is about to go: no message names it any more.
    expect(await send(life, 's1', [unsent])).toMatchObject({ ok: false, problem: { code: 'not_found' } })
    files.clock.advance(2 * hourMs)
    await expect.poll(() => files.isThere(unsent.digest)).toBe(false)
    await expect.poll(async () => (await bench.lists.attachments('s2', 'all')).length).toBe(0)
    expect((await bench.lists.attachments('s1', 'all')).map(({ name }) => name).toSorted()).toEqual([
      'both.txt',
      'sent.txt',
    ])
    expect([await files.isThere(sent.digest), await files.isThere(both.digest)]).toEqual([true, true])

    const late = await files.put('s1', 'late.txt', 'late')
    const { blobs, clock } = files
    await files.attachments[Symbol.asyncDispose]()
    clock.advance(26 * hourMs)
    expect(await files.isThere(late.digest)).toBe(true)
    const { store, lists } = bench
    await using again = new Attachments({ blobs, store, lists, clock, fault: (error) => life.faults.push(error) })
    await expect.poll(() => files.isThere(late.digest)).toBe(false)
    expect(await again.get('s1', sent.digest, 'person:nobody')).toMatchObject({ row: { name: 'sent.txt' } })
    expect(life.faults).toEqual([])
  })

  test('[AT8] what a server left that was killed between the bytes and their row goes at the next start', async () => {
    await using bench = await open()
    const life = liveOn(bench)
    await begin([life])
    await using files = await filesOf(bench, life)
    const sent = await files.put('s1', 'sent.txt', 'sent')
    expect(await send(life, 's1', [sent])).toMatchObject({ ok: true })
    const waiting = await files.put('s1', 'waiting.txt', 'waiting')
    const { blobs, clock } = files
    await files.attachments[Symbol.asyncDispose]()
    const left = await blobs.put('p1', Buffer.from('no row came'), 100)
    const digest = left.ok ? left.blob.digest : ''
    expect(await files.isThere(digest)).toBe(true)
    const { store, lists } = bench
    await using again = new Attachments({ blobs, store, lists, clock, fault: (error) => life.faults.push(error) })
    await expect.poll(() => files.isThere(digest)).toBe(false)
    await again[Symbol.asyncDispose]()
    expect([await files.isThere(sent.digest), await files.isThere(waiting.digest)]).toEqual([true, true])
    expect(life.faults).toEqual([])
  })

  test('[AT9] with a conversation its files go, but not what another session of the project has as well', async () => {
    await using bench = await open()
    const life = liveOn(bench)
    await begin([life])
    await using files = await filesOf(bench, life)
    await life.send(dana, 'session:s3', 'session.start', { project: 'p1', agent: 'demo' })
    const hand = await hold([life], 's3')
    const own = await files.put('s3', 'own.txt', 'of one alone')
    const shared = await files.put('s3', 'shared.txt', 'of two')
    const unsent = await files.put('s3', 'unsent.txt', 'never sent')
    const other = await files.put('s1', 'renamed.txt', 'of two')
    expect(other.digest).toBe(shared.digest)
    expect(await send(life, 's3', [own, shared])).toMatchObject({ ok: true })
    expect(await send(life, 's1', [other])).toMatchObject({ ok: true })
    await life.send(dana, hand.stream, 'session.complete', {})
    await hand.report({
      type: 'session.state_changed',
      data: { from: 'active', to: 'completed', reason: 'goal_reached' },
      body: {},
    })
    expect(await life.send(dana, hand.stream, 'session.erase', {})).toMatchObject({ ok: true })
    expect(await files.eraser.erased(hand.stream)).toBe(true)
    expect(await bench.lists.attachments('s3', 'all')).toEqual([])
    const there = await Promise.all([own, shared, unsent].map(({ digest }) => files.isThere(digest)))
    expect(there).toEqual([false, true, false])
    expect(life.faults).toEqual([])
  })
})
