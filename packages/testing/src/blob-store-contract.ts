import { buffer } from 'node:stream/consumers'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { BlobStore } from '@hotline/server/blob/blob-store'
import { describe, expect, test } from 'vitest'
import { randomSeed, seededRandom } from './seed.ts'
import { sha256 } from './sha256.ts'

/** A blob store under test. Disposing removes what it kept. */
export interface BlobBench extends AsyncDisposable {
  readonly store: BlobStore
  /** Closes the store and opens it again. */
  reopen(): Promise<void>
  /** Flips a bit of the one blob that has this digest, behind the store's back. */
  flip(digest: string): Promise<void>
}

const limitBytes = 1024 * 1024

async function* inPieces(content: Uint8Array, pieceBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += pieceBytes) {
    await nextTurn()
    yield content.subarray(at, at + pieceBytes)
  }
}

async function contentOf(store: BlobStore, project: string, digest: string): Promise<Buffer | undefined> {
  const found = await store.get(project, digest)
  return found === undefined ? undefined : buffer(found.content)
}

/** What every blob store has to hold. */
export function blobStoreContract(name: string, open: () => Promise<BlobBench>): void {
  describe(`blob store on ${name}`, () => {
    test('[L24] content is found under its digest, from bytes and from a stream, also after a restart', async () => {
      await using bench = await open()
      const random = seededRandom(randomSeed('blobs'))
      for (const sizeBytes of [0, 1, 65_536, 300_001]) {
        const content = random.bytes(sizeBytes)
        const blob = { digest: sha256(content), sizeBytes }
        expect(await bench.store.put('p1', content, limitBytes)).toEqual({ ok: true, blob })
        expect(await bench.store.put('p1', inPieces(content, 7_001), limitBytes)).toEqual({ ok: true, blob })
        const found = await bench.store.get('p1', blob.digest)
        expect(found?.sizeBytes).toBe(sizeBytes)
        found?.content.destroy()
        await bench.reopen()
        expect(Buffer.compare((await contentOf(bench.store, 'p1', blob.digest)) ?? Buffer.of(1), content)).toBe(0)
      }
    })

    test('[L24] a project finds its own content only, also where names differ in case alone', async () => {
      await using bench = await open()
      const content = Buffer.from('content')
      await bench.store.put('Project', content, limitBytes)
      expect(await bench.store.get('project', sha256(content))).toBeUndefined()
      await bench.store.put('project', content, limitBytes)
      expect(await bench.store.delete('Project', sha256(content))).toBe(true)
      expect(await bench.store.delete('Project', sha256(content))).toBe(false)
      expect(await bench.store.get('Project', sha256(content))).toBeUndefined()
      expect(await contentOf(bench.store, 'project', sha256(content))).toEqual(content)
      await bench.store.deleteProject('project')
      await bench.store.deleteProject('project')
      expect(await bench.store.get('project', sha256(content))).toBeUndefined()
    })

    test('[L24] all that there is can be gone through, of every project', async () => {
      await using bench = await open()
      const names = async (): Promise<readonly string[]> => {
        const found: string[] = []
        for await (const { project, digest } of bench.store.all()) found.push(`${project} ${digest}`)
        return found.toSorted()
      }
      expect(await names()).toEqual([])
      const content = Buffer.from('content')
      const other = Buffer.from('other')
      await bench.store.put('p1', content, limitBytes)
      await bench.store.put('P1', content, limitBytes)
      await bench.store.put('p1', other, limitBytes)
      const kept = [`P1 ${sha256(content)}`, `p1 ${sha256(content)}`, `p1 ${sha256(other)}`].toSorted()
      expect(await names()).toEqual(kept)
      await bench.reopen()
      expect(await names()).toEqual(kept)
      await bench.store.delete('p1', sha256(other))
      await bench.store.deleteProject('P1')
      expect(await names()).toEqual([`p1 ${sha256(content)}`])
    })

    test('[L25] content over the limit is refused while it comes, and nothing of it is kept', async () => {
      await using bench = await open()
      let taken = 0
      async function* endless(): AsyncGenerator<Uint8Array> {
        for (;;) {
          await nextTurn()
          taken += 1000
          yield Buffer.alloc(1000)
        }
      }
      expect(await bench.store.put('p1', endless(), 10_000)).toEqual({ ok: false, reason: 'too-large' })
      expect(taken).toBeLessThan(20_000)
      const exact = Buffer.alloc(10_000)
      expect(await bench.store.put('p1', exact, 9_999)).toEqual({ ok: false, reason: 'too-large' })
      expect(await bench.store.get('p1', sha256(exact))).toBeUndefined()
      expect(await bench.store.put('p1', exact, 10_000)).toMatchObject({ ok: true })
    })

    test('[L25] content that breaks off leaves nothing', async () => {
      await using bench = await open()
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('half')
        await nextTurn()
        throw new Error('the sender is gone')
      }
      await expect(bench.store.put('p1', broken(), limitBytes)).rejects.toThrow('the sender is gone')
      expect(await bench.store.get('p1', sha256(Buffer.from('half')))).toBeUndefined()
    })

    test('[L26] names that are none are refused before they come near a path', async () => {
      await using bench = await open()
      const { store } = bench
      const digest = sha256(Buffer.from('x'))
      const wrongProjects = ['', '.', '..', '../p1', 'p1/..', 'p1/../p2', 'a\0b', '-p', 'x'.repeat(65), 'p 1', 'é']
      for (const project of wrongProjects) {
        await expect(async () => store.put(project, Buffer.from('x'), limitBytes), project).rejects.toThrow(RangeError)
        await expect(async () => store.get(project, digest), project).rejects.toThrow(RangeError)
        await expect(async () => store.delete(project, digest), project).rejects.toThrow(RangeError)
        await expect(async () => store.deleteProject(project), project).rejects.toThrow(RangeError)
      }
      for (const wrong of [
        '',
        '..',
        `../${digest}`,
        digest.toUpperCase(),
        `${digest}0`,
        digest.slice(1),
        `${digest}\n`,
      ]) {
        await expect(async () => store.get('p1', wrong), wrong).rejects.toThrow(RangeError)
        await expect(async () => store.delete('p1', wrong), wrong).rejects.toThrow(RangeError)
      }
    })

    test('[L27] bytes that do not give their digest end in an error, and putting them again heals them', async () => {
      await using bench = await open()
      const content = Buffer.alloc(200_000, 'content')
      const digest = sha256(content)
      await bench.store.put('p1', content, limitBytes)
      await bench.flip(digest)
      await expect(contentOf(bench.store, 'p1', digest)).rejects.toThrow(digest)
      await bench.store.put('p1', content, limitBytes)
      expect(await contentOf(bench.store, 'p1', digest)).toEqual(content)
    })

    test('[L24] many at once, the same content among them', async () => {
      await using bench = await open()
      const contents = Array.from({ length: 40 }, (_, at) => Buffer.from(`content ${at % 8}`))
      const results = await Promise.all(contents.map((content) => bench.store.put('p1', content, limitBytes)))
      expect(results.every(({ ok }) => ok)).toBe(true)
      for (const content of contents) expect(await contentOf(bench.store, 'p1', sha256(content))).toEqual(content)
    })
  })
}
