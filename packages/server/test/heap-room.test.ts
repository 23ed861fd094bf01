import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const run = promisify(execFile)
const child = fileURLToPath(new URL('./heap-room-child.ts', import.meta.url))

/** How often the whole heap is collected where V8 saves memory, as it does after a quiet time. */
async function collectionsWith(...args: readonly string[]): Promise<number> {
  const { stdout } = await run(process.execPath, ['--optimize-for-size', child, ...args])
  return (JSON.parse(stdout) as { collections: number }).collections
}

test('[L51] a heap with room is collected less than half as often', async () => {
  const without = await collectionsWith()
  expect(without).toBeGreaterThan(4)
  expect(await collectionsWith('room')).toBeLessThan(without / 2)
})
