import { glob, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { blobStoreContract } from '@hotline/testing/blob-store-contract'
import type { BlobBench } from '@hotline/testing/blob-store-contract'
import { openTempDir } from '@hotline/testing/temp-dir'
import { waitFor } from '@hotline/testing/wait-for'
import { expect, test } from 'vitest'
import { openFileBlobStore } from '../src/blob/file-blob-store.ts'

async function openBench(): Promise<BlobBench> {
  const dir = await openTempDir('hotline-blobs-')
  let store = await openFileBlobStore(dir.path)
  return {
    get store() {
      return store
    },
    reopen: async () => {
      await store[Symbol.asyncDispose]()
      store = await openFileBlobStore(dir.path)
    },
    flip: async (digest) => {
      for await (const path of glob(join(dir.path, '*', '*', digest))) {
        const content = await readFile(path)
        content[1000] = (content[1000] ?? 0) ^ 1
        await writeFile(path, content)
      }
    },
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]()
      await dir.remove()
    },
  }
}

blobStoreContract('files', openBench)

async function modesUnder(dir: string): Promise<Map<string, string>> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  const modes = new Map<string, string>()
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
    modes.set(
      path.slice(dir.length),
      `${entry.isDirectory() ? 'd' : '-'}${((await stat(path)).mode & 0o777).toString(8)}`,
    )
  }
  return modes
}

test('[L20] blobs and their folders are for their owner alone, whatever the umask', async () => {
  await using dir = await openTempDir()
  const before = process.umask(0)
  try {
    await using store = await openFileBlobStore(join(dir.path, 'blobs'))
    await store.put('p1', Buffer.from('x'), 10)
  } finally {
    process.umask(before)
  }
  const modes = await modesUnder(dir.path)
  expect([...modes.values()].toSorted()).toEqual(['-600', 'd700', 'd700', 'd700', 'd700'])
})

test('[L25] what a crash left half written is gone at the next start', async () => {
  await using dir = await openTempDir()
  await (await openFileBlobStore(dir.path))[Symbol.asyncDispose]()
  await writeFile(join(dir.path, 'incoming', 'left-over'), 'half')
  await (await openFileBlobStore(dir.path))[Symbol.asyncDispose]()
  expect(await readdir(join(dir.path, 'incoming'))).toEqual([])
})

test.skipIf(process.platform !== 'linux')(
  '[L24] a stream that nobody reads to its end gives its file back',
  async () => {
    await using dir = await openTempDir()
    await using store = await openFileBlobStore(dir.path)
    const put = await store.put('p1', Buffer.alloc(500_000, 1), 1_000_000)
    const digest = put.ok ? put.blob.digest : ''
    const openFiles = async (): Promise<number> => (await readdir('/proc/self/fd')).length
    const before = await openFiles()
    const untouched = await store.get('p1', digest)
    untouched?.content.destroy()
    const begun = await store.get('p1', digest)
    await new Promise((resolve) => begun?.content.once('data', resolve))
    begun?.content.destroy()
    await waitFor(async () => (await openFiles()) <= before, { what: 'both files to be closed' })
  },
)
