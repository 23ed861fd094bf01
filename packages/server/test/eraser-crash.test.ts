import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { readAll } from '@hotline/testing/log-bench'
import { guardChildren } from '@hotline/testing/child-guard'
import { handClock } from '@hotline/testing/hand-clock'
import { openTempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { afterEach, expect, test } from 'vitest'
import { openFileBlobStore } from '../src/blob/file-blob-store.ts'
import { Feeds } from '../src/feed/feeds.ts'
import { openMemoryBus } from '../src/log/memory-bus.ts'
import { type Database, openDatabase } from '../src/log/open-database.ts'
import { systemClock } from '../src/machine/clock.ts'
import { systemIds } from '../src/machine/ids.ts'
import { Eraser } from '../src/scheduler/eraser.ts'
import { keepOutputFor } from '../src/scheduler/retention.ts'
import { Attachments } from '../src/session/attachments.ts'
import { liveOn, stream } from './exchange-life.ts'

const script = fileURLToPath(new URL('./eraser-crash-child.ts', import.meta.url))

const dayMs = 24 * 60 * 60_000

const guard = guardChildren()
afterEach(() => guard.assertNoSurvivors())

/** A server on what another one has left. */
interface After extends AsyncDisposable {
  database: Database
  eraser: Eraser
  faults: unknown[]
  /** All that can still be read of the session. */
  words: () => Promise<string>
}

/** A child erases this, and is killed when some of it is gone and some is not. */
async function killedWhile(dir: string, what: 'session' | 'output'): Promise<void> {
  await using child = await guard.startChild({ command: process.execPath, args: [script, dir, what] })
  expect(await child.exited, child.stderr).toMatchObject({ signal: 'SIGKILL' })
  expect(child.stdout).toMatch(/left \d+ of \d+/)
}

async function startAfter(dir: string): Promise<After> {
  const undo = new AsyncDisposableStack()
  const ids = systemIds(() => systemClock.wallMs())
  const database = undo.use(await openDatabase({ kind: 'sqlite', dir }, { clock: systemClock, ids }))
  const { store, lists } = database
  const words = async (): Promise<string> =>
    (await readAll(store, stream)).map(({ bytes }) => Buffer.from(bytes).toString('utf8')).join('\n')
  // Before the eraser begins.
  expect(await words()).toContain('secret')
  const faults: unknown[] = []
  const fault = (error: unknown): void => void faults.push(error)
  const bus = undo.use(openMemoryBus())
  const feeds = undo.use(new Feeds(store, bus))
  const blobs = await openFileBlobStore(join(dir, 'blobs'))
  const files = await openFileBlobStore(join(dir, 'attachments'))
  const attachments = undo.use(new Attachments({ blobs: files, store, lists, clock: systemClock, fault }))
  const eraser = undo.use(new Eraser({ store, lists, blobs, attachments, feeds, clock: systemClock, bus, fault }))
  return { database, eraser, faults, words, [Symbol.asyncDispose]: () => undo.disposeAsync() }
}

test('[L53] a server that is killed while words go has none of them left after the next start', async () => {
  const dir = await openTempDir('hotline-eraser-')
  await killedWhile(dir.path, 'session')
  {
    await using after = await startAfter(dir.path)
    expect(await after.eraser.erased(stream)).toBe(true)
    expect(await after.words()).not.toMatch(/secret|stays/)
    expect(await after.database.store.verify(stream)).toBeUndefined()
    expect(after.faults).toEqual([])
  }
  await dir.remove()
})

test('[RT3] a server that is killed while output goes has none of it left after the next start, and says it once', async () => {
  const dir = await openTempDir('hotline-eraser-')
  await killedWhile(dir.path, 'output')
  {
    await using after = await startAfter(dir.path)
    const { database, eraser, faults, words } = after
    const { store, lists } = database
    const life = liveOn({ ...database, reopen: fail, sql: fail, moveEvent: fail }, Date.now() + 32 * dayMs)
    const clock = handClock()
    let rounds = 0
    const retention = keepOutputFor({
      exchange: life.exchange,
      lists,
      store,
      clock: {
        ...clock,
        wallMs: () => life.nowMs(),
        after: (ms, run) => {
          rounds += 1
          return clock.after(ms, run)
        },
      },
      ids: systemIds(() => life.nowMs()),
      fault: (error) => faults.push(error),
      erased: (of) => eraser.erased(of),
      days: 30,
    })
    await waitFor(() => rounds > 0, { what: 'a round that has seen all' })
    await retention[Symbol.asyncDispose]()
    expect(await eraser.erased(stream)).toBe(true)
    const left = await words()
    expect(left).not.toContain('secret')
    expect(left).toContain('a question that stays')
    expect(left.match(/"content\.erased"/g)).toHaveLength(1)
    expect(await store.verify(stream)).toBeUndefined()
    expect(faults).toEqual([])
  }
  await dir.remove()
})

function fail(): never {
  throw new Error('not here')
}
