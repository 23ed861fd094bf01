import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { openTempDir } from '@hotline/testing/temp-dir'
import { expect, test } from 'vitest'
import { noFailpoints } from '../src/log/failpoints.ts'
import { Checkpointer, checkpointBytes } from '../src/log/sqlite/checkpointer.ts'
import { sqliteMigrations } from '../src/log/sqlite/migrations.ts'
import { SqliteFile } from '../src/log/sqlite/sqlite-file.ts'

const run = promisify(execFile)
const child = fileURLToPath(new URL('./checkpoint-child.ts', import.meta.url))
const mebibyte = 1024 ** 2

test('[L43] the first checkpoint costs the memory of a bare thread and little more', async () => {
  await using dir = await openTempDir('hotline-checkpoint-')
  const { stdout } = await run(process.execPath, [child, join(dir.path, 'hotline.db')])
  const grown = Number(stdout) / mebibyte
  expect(grown).toBeGreaterThan(1)
  expect(grown).toBeLessThan(23)
})

test('[L43] the thread of the checkpoints is there before the first of them is due, and stays the only one', async () => {
  await using dir = await openTempDir('hotline-checkpoint-')
  using file = new SqliteFile({
    path: join(dir.path, 'hotline.db'),
    migrations: sqliteMigrations,
    failpoints: noFailpoints,
  })
  await using checkpointer = new Checkpointer(file, noFailpoints)
  const released = Promise.withResolvers<void>()
  checkpointer.onRelease(released.resolve)
  let threads = 0
  const counting = (): number => (threads += 1)
  process.on('worker', counting)
  try {
    checkpointer.wrote(1_000)
    await nextTurn()
    expect(threads).toBe(0)
    checkpointer.wrote(checkpointBytes / 16)
    await nextTurn()
    expect(threads).toBe(1)
    checkpointer.wrote(checkpointBytes)
    await released.promise
    expect(threads).toBe(1)
  } finally {
    process.off('worker', counting)
  }
})
