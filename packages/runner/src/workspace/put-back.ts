import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { codeOf, type HeldFolder } from './held-folder.ts'
import { readState } from './places.ts'
import { blobOid, readEntry } from './read-entry.ts'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants

/** Names of ours in a workspace, for the moment in which a file is replaced. */
const asidePrefix = '.hotline-undo-'

/** What a file shall become, and what it is as far as anybody knows. */
export interface Replacement {
  path: string
  now: string | undefined
  to: string | undefined
  /** The bytes of `to`. */
  bytes: Buffer | undefined
}

/** It stays as it is, for this reason; absent where it is done. */
export type PutBack = { why?: string }

/**
 * Replaces one file, and only if it is still what it was taken for: it is moved aside first, so that it cannot change any
 * more under its name, then compared, then replaced. Whatever somebody else has put there in between stays. The way to it
 * leads through held folders, never through a link.
 */
export function putBack(
  root: HeldFolder,
  { path, now, to, bytes }: Replacement,
  options: { maxBytes: number; umask: number },
): PutBack {
  let at
  try {
    at = root.parentOf(path, to === undefined ? 'fail' : 'make')
  } catch (error) {
    const code = codeOf(error)
    if (to === undefined && code === 'ENOENT') return {}
    return { why: code === 'ELOOP' || code === 'ENOTDIR' ? 'the way to it is a link, or no folder' : wordsOf(error) }
  }
  const { parent, name } = at
  const aside = `${asidePrefix}${randomBytes(8).toString('hex')}`
  try {
    const placeIt = (): PutBack => (to === undefined ? {} : place(parent, name, to, bytes, options.umask))
    if (now === undefined) return placeIt()
    try {
      renameSync(parent.at(name), parent.at(aside))
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
      return { why: 'it is gone' }
    }
    if (!isAs(parent, aside, now, options)) {
      giveBack(parent, aside, name)
      return { why: 'somebody changed it meanwhile' }
    }
    const placed = placeIt()
    // What is aside is in the store: only now it may go.
    if (placed.why === undefined || placed.why === whyTaken) unlinkSync(parent.at(aside))
    else giveBack(parent, aside, name)
    return placed
  } catch (error) {
    return { why: wordsOf(error) }
  } finally {
    parent[Symbol.dispose]()
  }
}

const whyTaken = 'somebody put something there meanwhile'

/** Folders that are empty now on the way to a file that was removed; one that has something in it stays, and so do its own. */
export function removeEmptyFolders(root: HeldFolder, path: string): void {
  let at = path
  while (at.includes('/')) {
    at = at.slice(0, at.lastIndexOf('/'))
    let found
    try {
      found = root.parentOf(at, 'fail')
    } catch {
      continue
    }
    try {
      rmdirSync(found.parent.at(found.name))
    } catch {
      return
    } finally {
      found.parent[Symbol.dispose]()
    }
  }
}

/** Makes the file beside and gives it its name only where nobody else has it. Never throws: what was there has to come back. */
function place(parent: HeldFolder, name: string, to: string, bytes: Buffer | undefined, umask: number): PutBack {
  if (!bytes) return { why: 'what it was is not kept' }
  const { mode, rights } = readState(to)
  const fresh = `${asidePrefix}${randomBytes(8).toString('hex')}`
  try {
    if (mode === '120000') symlinkSync(bytes, parent.at(fresh))
    else {
      const usual = (mode === '100755' ? 0o777 : 0o666) & ~umask
      writeFresh(parent.at(fresh), bytes, rights === undefined ? usual : Number.parseInt(rights, 8) & 0o777)
    }
    takeName(parent, fresh, name)
    return {}
  } catch (error) {
    return { why: codeOf(error) === 'EEXIST' ? whyTaken : wordsOf(error) }
  } finally {
    removeIfThere(parent, fresh)
  }
}

/** Throws EEXIST where something has the name. Where there are no second names, that is looked up right before. */
function takeName(parent: HeldFolder, fresh: string, name: string): void {
  try {
    linkSync(parent.at(fresh), parent.at(name))
  } catch (error) {
    const hasNoLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(codeOf(error) ?? '')
    if (!hasNoLinks || lstatSync(parent.at(name), { throwIfNoEntry: false })) throw error
    renameSync(parent.at(fresh), parent.at(name))
  }
}

function writeFresh(path: string, bytes: Buffer, mode: number): void {
  const fd = openSync(path, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, 0o600)
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at)
    fchmodSync(fd, mode)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function isAs(
  parent: HeldFolder,
  name: string,
  state: string,
  { maxBytes, umask }: { maxBytes: number; umask: number },
): boolean {
  const content = readEntry(parent, name, maxBytes)
  const { mode, oid, rights } = readState(state)
  if (content.kind === 'link') return mode === '120000' && blobOid(content.bytes) === oid
  if (content.kind !== 'file' || mode === '120000' || blobOid(content.bytes) !== oid) return false
  const usual = (mode === '100755' ? 0o777 : 0o666) & ~umask
  return content.mode === (rights === undefined ? usual : Number.parseInt(rights, 8))
}

/** Under its name again; where that is taken by now, beside it under one that says what it is. */
function giveBack(parent: HeldFolder, aside: string, name: string): void {
  try {
    linkSync(parent.at(aside), parent.at(name))
    unlinkSync(parent.at(aside))
  } catch (error) {
    if (codeOf(error) === 'EISDIR' || codeOf(error) === 'EPERM') return renameSync(parent.at(aside), parent.at(name))
    renameSync(parent.at(aside), parent.at(`${name}.kept-by-hotline-${randomBytes(4).toString('hex')}`))
  }
}

function removeIfThere(parent: HeldFolder, name: string): void {
  try {
    unlinkSync(parent.at(name))
  } catch {
    // It was never made.
  }
}

function wordsOf(error: unknown): string {
  return `it could not be replaced (${codeOf(error) ?? String(error)})`
}
