import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'

/** Bytes of one file of a spool; what is needed no more is removed file by file. */
const segmentBytes = 4 * 1024 * 1024

/** Digits of the offset in the name of a file, so that names sort like offsets. */
const digits = 16

/**
 * Bytes of one stream, in files that are named by the offset of their first byte. One process writes at the end, another one
 * reads anywhere: a written byte never changes.
 */
export class RawSpool implements Disposable {
  readonly #folder: string
  readonly #name: string
  #fd: number | undefined
  #segmentStart = 0
  #size = 0
  #released = 0

  /** Begins an empty spool. Throws what the file system throws. */
  constructor(folder: string, name: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    this.#folder = folder
    this.#name = name
  }

  /** Bytes that were ever written. */
  get size(): number {
    return this.#size
  }

  /** Bytes that somebody may still want. */
  get unreleased(): number {
    return this.#size - this.#released
  }

  /** Writes all of it or throws what the file system throws, and then nothing of it is in the spool. */
  append(bytes: Uint8Array): void {
    if (this.#fd === undefined || this.#size - this.#segmentStart >= segmentBytes) this.#begin()
    const fd = this.#fd ?? 0
    const at = this.#size - this.#segmentStart
    try {
      for (let done = 0; done < bytes.length;) {
        done += writeSync(fd, bytes, done, bytes.length - done, at + done)
      }
    } catch (error) {
      ftruncateSync(fd, at)
      throw error
    }
    this.#size += bytes.length
  }

  /** Nobody will read what is before this offset. */
  release(to: number): void {
    this.#released = Math.max(this.#released, Math.min(to, this.#size))
    const starts = startsOf(this.#folder, this.#name)
    for (const [index, start] of starts.entries()) {
      const next = starts[index + 1]
      if (next !== undefined && next <= this.#released) rmSync(fileOf(this.#folder, this.#name, start), { force: true })
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  #begin(): void {
    const fd = openSync(fileOf(this.#folder, this.#name, this.#size), 'w', 0o600)
    this[Symbol.dispose]()
    this.#fd = fd
    this.#segmentStart = this.#size
  }
}

/** Reads what another process writes with `RawSpool`. */
export class RawReader implements Disposable {
  readonly #folder: string
  readonly #name: string
  #open: { fd: number; start: number; end: number } | undefined

  constructor(folder: string, name: string) {
    this.#folder = folder
    this.#name = name
  }

  /** What is there of a stretch of bytes, from its beginning; empty where nothing is there, or not any more. */
  read(from: number, maxBytes: number): Buffer {
    for (let before: number | undefined; ;) {
      const open = this.#find(from)
      if (!open || open.start === before) return Buffer.alloc(0)
      const room = Buffer.allocUnsafe(Math.min(maxBytes, open.end - from))
      const got = readSync(open.fd, room, 0, room.length, from - open.start)
      if (got > 0) return room.subarray(0, got)
      // The file was the last one when it was opened; there may be a next one by now.
      before = open.start
      this[Symbol.dispose]()
    }
  }

  /** Everything that is still there, with the offset at which it begins. */
  readAll(): { from: number; bytes: Buffer } {
    const [from = 0] = startsOf(this.#folder, this.#name)
    const pieces: Buffer[] = []
    for (let at = from; ;) {
      const piece = this.read(at, segmentBytes)
      if (piece.length === 0) return { from, bytes: Buffer.concat(pieces) }
      pieces.push(piece)
      at += piece.length
    }
  }

  /** The offset of the first byte that is still there. */
  get from(): number {
    return startsOf(this.#folder, this.#name)[0] ?? 0
  }

  /** Bytes that were ever written, as the files tell. */
  get size(): number {
    const start = startsOf(this.#folder, this.#name).at(-1)
    if (start === undefined) return 0
    return start + (statSync(fileOf(this.#folder, this.#name, start), { throwIfNoEntry: false })?.size ?? 0)
  }

  [Symbol.dispose](): void {
    if (this.#open) closeSync(this.#open.fd)
    this.#open = undefined
  }

  #find(at: number): { fd: number; start: number; end: number } | undefined {
    const open = this.#open
    if (open && at >= open.start && at < open.end) return open
    this[Symbol.dispose]()
    const starts = startsOf(this.#folder, this.#name)
    const start = starts.findLast((first) => first <= at)
    if (start === undefined) return undefined
    const next = starts.find((first) => first > start)
    try {
      const fd = openSync(fileOf(this.#folder, this.#name, start), 'r')
      this.#open = { fd, start, end: next ?? Number.POSITIVE_INFINITY }
      return this.#open
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }
}

function fileOf(folder: string, name: string, start: number): string {
  return join(folder, `${name}.${String(start).padStart(digits, '0')}`)
}

function startsOf(folder: string, name: string): readonly number[] {
  let names: readonly string[]
  try {
    names = readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  return names
    .filter((file) => file.startsWith(`${name}.`))
    .map((file) => Number(file.slice(name.length + 1)))
    .toSorted((a, b) => a - b)
}
