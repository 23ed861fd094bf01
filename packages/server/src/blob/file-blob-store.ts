import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, opendir, rename, rm, unlink } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pipeline, Transform } from 'node:stream'
import type { Readable } from 'node:stream'
import { idPattern } from '@hotline/protocol/stream'
import { BlobDamaged } from './blob-store.ts'
import type { Blob, BlobStore, PutResult } from './blob-store.ts'

const digestPattern = /^[0-9a-f]{64}$/

/** Refusals of the disk or the file system, as against errors of whoever sends the content. */
const diskCodes = ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO', 'EMFILE', 'ENFILE', 'EACCES', 'EPERM', 'EFBIG']

/**
 * Blobs as files: `<project in hex>/<first two digits>/<digest>`. In hex, because file systems that ignore case would mix up
 * projects. Content is written beside them, synced, and then renamed into place, so a name stands for whole content only.
 */
export async function openFileBlobStore(dir: string): Promise<BlobStore> {
  const incoming = join(dir, 'incoming')
  // What a crash left half written was never promised to anybody.
  await rm(incoming, { recursive: true, force: true })
  await mkdir(incoming, { recursive: true, mode: 0o700 })
  return new FileBlobStore(dir, incoming)
}

class FileBlobStore implements BlobStore {
  readonly #dir: string
  readonly #incoming: string
  readonly #writing = new Set<Promise<unknown>>()

  constructor(dir: string, incoming: string) {
    this.#dir = dir
    this.#incoming = incoming
  }

  put(project: string, content: Uint8Array | AsyncIterable<Uint8Array>, maxBytes: number): Promise<PutResult> {
    const folder = this.#folder(project)
    const writing = this.#put(folder, content, maxBytes).finally(() => this.#writing.delete(writing))
    this.#writing.add(writing)
    return writing
  }

  async get(project: string, digest: string): Promise<{ sizeBytes: number; content: Readable } | undefined> {
    const file = await openIfThere(this.#path(project, digest))
    if (file === undefined) return undefined
    try {
      const { size } = await file.stat()
      return { sizeBytes: size, content: checked(file, digest) }
    } catch (error) {
      await file.close()
      throw error
    }
  }

  async delete(project: string, digest: string): Promise<boolean> {
    const path = this.#path(project, digest)
    try {
      await unlink(path)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false
      throw error
    }
    await syncFolder(dirname(path))
    return true
  }

  async *all(): AsyncGenerator<{ project: string; digest: string }, void, undefined> {
    for await (const name of namesIn(this.#dir)) {
      const project = Buffer.from(name, 'hex').toString()
      if (name !== Buffer.from(project).toString('hex') || !idPattern.test(project)) continue
      for await (const shelf of namesIn(join(this.#dir, name))) {
        for await (const digest of namesIn(join(this.#dir, name, shelf))) {
          if (digestPattern.test(digest)) yield { project, digest }
        }
      }
    }
  }

  async deleteProject(project: string): Promise<void> {
    await rm(this.#folder(project), { recursive: true, force: true })
    await syncFolder(this.#dir)
  }

  /** Waits for what is being written. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#writing)
  }

  #folder(project: string): string {
    if (!idPattern.test(project)) throw new RangeError('not the id of a project')
    return join(this.#dir, Buffer.from(project).toString('hex'))
  }

  #path(project: string, digest: string): string {
    if (!digestPattern.test(digest)) throw new RangeError('not the digest of a blob')
    return join(this.#folder(project), digest.slice(0, 2), digest)
  }

  async #put(folder: string, content: Uint8Array | AsyncIterable<Uint8Array>, maxBytes: number): Promise<PutResult> {
    const path = join(this.#incoming, randomUUID())
    try {
      const blob = await writeWhole(path, content, maxBytes)
      if (blob === undefined) return { ok: false, reason: 'too-large' }
      const shelf = join(folder, blob.digest.slice(0, 2))
      const made = await mkdir(shelf, { recursive: true, mode: 0o700 })
      await rename(path, join(shelf, blob.digest))
      await syncFolder(shelf)
      // A new folder is an entry of the one above it, up to the first that was there already.
      if (made !== undefined) for (const above of [folder, this.#dir]) await syncFolder(above)
      return { ok: true, blob }
    } catch (error) {
      if (!diskCodes.includes(codeOf(error))) throw error
      return { ok: false, reason: 'unavailable', detail: error instanceof Error ? error.message : String(error) }
    } finally {
      await rm(path, { force: true })
    }
  }
}

/** Writes and syncs a new file; undefined where the content is larger than the limit. */
async function writeWhole(
  path: string,
  content: Uint8Array | AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<Blob | undefined> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  const file = await open(path, 'wx', 0o600)
  try {
    for await (const chunk of content instanceof Uint8Array ? [content] : content) {
      sizeBytes += chunk.length
      if (sizeBytes > maxBytes) return undefined
      hash.update(chunk)
      await file.writeFile(chunk)
    }
    await file.sync()
    return { digest: hash.digest('hex'), sizeBytes }
  } finally {
    await file.close()
  }
}

/** The content of an open file, which closes with it; whoever destroys the stream early closes the file too. */
function checked(file: FileHandle, digest: string): Readable {
  const hash = createHash('sha256')
  const content = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      done(null, chunk)
    },
    flush(done) {
      const whole = hash.digest('hex') === digest
      done(whole ? null : new BlobDamaged(`the bytes of blob ${digest} do not give its digest`))
    },
  })
  // The stream that is handed out carries the error; here there is nothing left to do.
  pipeline(file.createReadStream(), content, () => undefined)
  return content
}

/** What lies in a folder; nothing where it is none, or has gone meanwhile. */
async function* namesIn(path: string): AsyncGenerator<string, void, undefined> {
  try {
    for await (const { name } of await opendir(path)) yield name
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes(codeOf(error))) throw error
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Makes a rename or removal in this folder durable. Windows cannot sync a folder and does not need to. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
