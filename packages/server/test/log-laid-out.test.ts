import { cp, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { accepted, agentEvent, freely, parseWire, readAll } from '@hotline/testing/log-bench'
import { openTempDir } from '@hotline/testing/temp-dir'
import { expect, test } from 'vitest'
import type { LogStore } from '../src/log/log-store.ts'
import { type Database, openDatabase } from '../src/log/open-database.ts'
import { systemClock } from '../src/machine/clock.ts'
import { systemIds } from '../src/machine/ids.ts'

const stream = 'session:one'
const means = { clock: systemClock, ids: systemIds(() => systemClock.wallMs()) }
const logBytes = 1024 * 1024

const open = (dir: string, laidOut = logBytes): Promise<Database> =>
  openDatabase({ kind: 'sqlite', dir, logBytes: laidOut }, means)
const logOf = async (dir: string): Promise<number> => (await stat(join(dir, 'hotline.db-wal'))).size

async function append(store: LogStore, texts: readonly string[]): Promise<void> {
  for (const text of texts) accepted(await store.append([freely(stream, agentEvent(text))]))
}

async function textsOf(store: LogStore): Promise<readonly (string | undefined)[]> {
  return (await readAll(store, stream)).map((event) => parseWire(event).body?.text)
}

test('[L31] commits write in place, and whoever finds the files as they are reads all of them', async () => {
  await using dir = await openTempDir()
  const [first, stopped] = [join(dir.path, 'first'), join(dir.path, 'stopped')]
  const database = await open(first)
  const texts = Array.from({ length: 40 }, (_, at) => `text ${at}`)
  await append(database.store, texts)
  expect(await logOf(first)).toBe(logBytes)
  // As a machine leaves them that stops here: the log is there, and nothing of it is in the database.
  await cp(first, stopped, { recursive: true })
  await database[Symbol.asyncDispose]()

  const again = await open(stopped)
  expect(await textsOf(again.store)).toEqual(texts)
  await append(again.store, ['one more'])
  await again[Symbol.asyncDispose]()
  await using last = await open(stopped)
  expect(await textsOf(last.store)).toEqual([...texts, 'one more'])
  expect(await last.store.verify(stream)).toBeUndefined()
  expect(await logOf(stopped)).toBe(logBytes)
})

test('[L31] a log that outgrows what was laid out goes on, and so does one that was emptied', async () => {
  await using dir = await openTempDir()
  await using database = await open(dir.path, 64 * 1024)
  const texts = Array.from({ length: 40 }, (_, at) => `${at} ${'x'.repeat(8_000)}`)
  await append(database.store, texts)
  expect(await logOf(dir.path)).toBeGreaterThan(64 * 1024)
  expect(await database.store.erase(stream, { upTo: 1 })).toBe(1)
  await append(database.store, ['after'])
  expect((await textsOf(database.store)).slice(1)).toEqual([...texts.slice(1), 'after'])
})
