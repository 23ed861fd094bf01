import { createHash } from 'node:crypto'
import { type FileHandle, open, stat } from 'node:fs/promises'
import type { FilePlace } from '@hotline/protocol/events/output'

/** By its first bytes a file is told from another one that got its number, and from itself after it was emptied. */
const headBytes = 1024

/** One read. Small enough that what it gives is one event, which says the place up to which it goes. */
const readBytes = 16 * 1024

/** A file that is read on from a position. It stays the same file when it is renamed or removed. */
export class OpenFile implements AsyncDisposable {
  /** Device and number: what the system knows it by. */
  readonly id: string
  position = 0
  readonly #handle: FileHandle
  #head = Buffer.alloc(0)

  private constructor(handle: FileHandle, id: string) {
    this.#handle = handle
    this.id = id
  }

  /** Undefined where there is no such file. Throws what the file system throws, and where it is something else than a file. */
  static async open(path: string): Promise<OpenFile | undefined> {
    // A pipe would be waited for at its opening.
    if ((await identify(path)) === undefined) return undefined
    const handle = await open(path, 'r').catch(unlessMissing)
    if (handle === undefined) return undefined
    const { dev, ino } = await handle.stat({ bigint: true })
    return new OpenFile(handle, `${dev}:${ino}`)
  }

  async sizeBytes(): Promise<number> {
    return (await this.#handle.stat()).size
  }

  /** When it was written to last, in nanoseconds of the wall clock. */
  async modifiedNs(): Promise<bigint> {
    return (await this.#handle.stat({ bigint: true })).mtimeNs
  }

  /** Where it is read on from, as it can be found again. */
  async place(): Promise<FilePlace> {
    await this.#learnHead()
    const head = createHash('sha256').update(this.#head).digest('hex').slice(0, 32)
    return { file: this.id, end: this.position, head }
  }

  /** True where this is the file of the place, and still holds what was read of it. Then it is read on from there. */
  async goTo({ file, end, head }: FilePlace): Promise<boolean> {
    if (file !== this.id || (await this.sizeBytes()) < end) return false
    this.position = end
    if ((await this.place()).head === head) return true
    this.rewind()
    return false
  }

  /** True where it is shorter than what was read of it, or begins otherwise: it was emptied and written anew. */
  async wasCut(): Promise<boolean> {
    if ((await this.sizeBytes()) < this.position) return true
    const { buffer, bytesRead } = await this.#handle.read(Buffer.alloc(this.#head.length), 0, this.#head.length, 0)
    return bytesRead < this.#head.length || !buffer.equals(this.#head)
  }

  rewind(): void {
    this.position = 0
    this.#head = Buffer.alloc(0)
  }

  /**
   * What follows the position, as text; undefined at the end. Of a character at the end that is not whole nothing is taken:
   * it is read again with the rest of it, unless `whole` says that there will be none.
   */
  async read(whole: 'later' | 'never' = 'later'): Promise<{ text: string; bytes: number } | undefined> {
    const { buffer, bytesRead } = await this.#handle.read(Buffer.alloc(readBytes), 0, readBytes, this.position)
    const bytes = whole === 'never' ? bytesRead : bytesRead - unfinishedBytes(buffer.subarray(0, bytesRead))
    if (bytes === 0) return undefined
    this.position += bytes
    if (this.#head.length < headBytes) await this.#learnHead()
    return { text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(buffer.subarray(0, bytes)), bytes }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close()
  }

  async #learnHead(): Promise<void> {
    const length = Math.min(headBytes, this.position)
    if (this.#head.length === length) return
    const { buffer, bytesRead } = await this.#handle.read(Buffer.alloc(length), 0, length, 0)
    this.#head = buffer.subarray(0, bytesRead)
  }
}

/** What the file of this name is known by; undefined where there is none. Throws where it is something else than a file. */
export async function identify(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(unlessMissing)
  if (found === undefined) return undefined
  if (!found.isFile()) throw new Error('it is no file')
  return `${found.dev}:${found.ino}`
}

/** Nothing where something on the way to the file is not there (yet). */
function unlessMissing(error: unknown): undefined {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
  throw error
}

/** Bytes at the end that may be the beginning of a character: none to three. */
function unfinishedBytes(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) return 0
    if (byte < 0xc0) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
    return length > back ? back : 0
  }
  return 0
}
