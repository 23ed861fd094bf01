import { existsSync, statSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openTempDir } from '../src/temp-dir.ts'

test('a temporary directory is private, its own, and goes away with what is in it', async () => {
  const first = await openTempDir()
  const second = await openTempDir('hotline-other-')
  expect(first.path).not.toBe(second.path)
  expect(statSync(first.path).mode & 0o777).toBe(0o700)
  await mkdir(join(first.path, 'deep', 'er'), { recursive: true })
  await writeFile(join(first.path, 'deep', 'er', 'file'), 'x')
  await first.remove()
  await first[Symbol.asyncDispose]()
  await second.remove()
  expect([existsSync(first.path), existsSync(second.path)]).toEqual([false, false])
})
