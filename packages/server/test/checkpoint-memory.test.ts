import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { openTempDir } from '@hotline/testing/temp-dir'
import { expect, test } from 'vitest'

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
