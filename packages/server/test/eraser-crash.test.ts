import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { readAll } from '@hotline/testing/log-bench'
import { guardChildren } from '@hotline/testing/child-guard'
import { openTempDir } from '@hotline/testing/temp-dir'
import { afterEach, expect, test } from 'vitest'
import { openFileBlobStore } from '../src/blob/file-blob-store.ts'
import { Feeds } from '../src/feed/feeds.ts'
import { openMemoryBus } from '../src/log/memory-bus.ts'
import { openDatabase } from '../src/log/open-database.ts'
import { systemClock } from '../src/machine/clock.ts'
import { systemIds } from '../src/machine/ids.ts'
import { Eraser } from '../src/scheduler/eraser.ts'
import { Attachments } from '../src/session/attachments.ts'
import { stream } from './exchange-life.ts'

const script = fileURLToPath(new URL('./eraser-crash-child.ts', import.meta.url))

const guard = guardChildren()
afterEach(() => guard.assertNoSurvivors())

test('[L53] a server that is killed while words go has none of them left after the next start', async () => {
  const dir = await openTempDir('hotline-eraser-')
  await using child = await guard.startChild({ command: process.execPath, args: [script, dir.path] })
  expect(await child.exited, child.stderr).toMatchObject({ signal: 'SIGKILL' })
  expect(child.stdout).toMatch(/left \d+ of \d+/)
  const place = { kind: 'sqlite', dir: dir.path } as const
  const ids = systemIds(() => systemClock.wallMs())
  await using database = await openDatabase(place, { clock: systemClock, ids })
  const { store, lists } = database
  const words = async (): Promise<boolean> =>
    (await readAll(store, stream)).some(({ bytes }) => Buffer.from(bytes).toString('utf8').includes('secret'))
  expect(await words()).toBe(true)
  const faults: unknown[] = []
  await using bus = openMemoryBus()
  using feeds = new Feeds(store, bus)
  const blobs = await openFileBlobStore(join(dir.path, 'blobs'))
  const fault = (error: unknown): void => void faults.push(error)
  const files = await openFileBlobStore(join(dir.path, 'attachments'))
  await using attachments = new Attachments({ blobs: files, store, lists, clock: systemClock, fault })
  await using eraser = new Eraser({ store, lists, blobs, attachments, feeds, clock: systemClock, bus, fault })
  expect(await eraser.erased(stream)).toBe(true)
  expect(await words()).toBe(false)
  expect(await store.verify(stream)).toBeUndefined()
  expect(faults).toEqual([])
  await dir.remove()
})
