import { createHash } from 'node:crypto'
import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from 'node:fs'
import { codeOf, type HeldFolder } from './held-folder.ts'

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY, S_IFMT, S_IFREG } = constants

/** A file or a link as it was read. */
export type EntryContent =
  | { kind: 'file'; bytes: Buffer; mode: number }
  | { kind: 'link'; bytes: Buffer }
  | { kind: 'large'; sizeBytes: number }
  | { kind: 'unreadable' }
  | { kind: 'none' }

/**
 * Reads what lies there, without going through a link and without waiting for a pipe. What grows while it is read is read
 * up to the limit.
 */
export function readEntry(parent: HeldFolder, name: string, maxBytes: number): EntryContent {
  let fd
  try {
    fd = openSync(parent.at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ELOOP' || code === 'EMLINK') return readLink(parent, name)
    return { kind: code === 'ENOENT' || code === 'ENOTDIR' ? 'none' : 'unreadable' }
  }
  try {
    const stats = fstatSync(fd)
    if ((stats.mode & S_IFMT) !== S_IFREG) return { kind: 'unreadable' }
    if (stats.size > maxBytes) return { kind: 'large', sizeBytes: stats.size }
    const bytes = readAll(fd, stats.size, maxBytes)
    return bytes ? { kind: 'file', bytes, mode: stats.mode & 0o777 } : { kind: 'large', sizeBytes: maxBytes + 1 }
  } catch {
    return { kind: 'unreadable' }
  } finally {
    closeSync(fd)
  }
}

function readLink(parent: HeldFolder, name: string): EntryContent {
  try {
    return { kind: 'link', bytes: readlinkSync(parent.at(name), { encoding: 'buffer' }) }
  } catch {
    // It was swapped between the two calls: the next look shows what it is.
    return { kind: 'none' }
  }
}

function readAll(fd: number, sizeBytes: number, maxBytes: number): Buffer | undefined {
  let buffer = Buffer.allocUnsafe(Math.min(sizeBytes + 1, maxBytes + 1))
  let length = 0
  for (;;) {
    if (length === buffer.length) {
      if (length > maxBytes) return undefined
      buffer = Buffer.concat([buffer, Buffer.allocUnsafe(Math.min(buffer.length, maxBytes + 1 - length) || 1)])
    }
    const read = readSync(fd, buffer, length, buffer.length - length, null)
    if (read === 0) return length > maxBytes ? undefined : buffer.subarray(0, length)
    length += read
  }
}

/** The name that git gives to these bytes. */
export function blobOid(bytes: Uint8Array): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')
}
