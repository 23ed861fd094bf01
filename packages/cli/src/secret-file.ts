import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { makeDirectory } from '@hotline/server/config/data-dir'

/** The text of a small file without white space around it; undefined where it is not there, not ours to read, or empty. */
export function readLine(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch {
    // Not there, or not ours to read: the caller says what to do.
    return undefined
  }
}

/** Writes a file that only its owner can read, whole or not at all. Throws what the file system throws. */
export function writeSecretFile(path: string, text: string): void {
  makeDirectory(dirname(path))
  const fresh = `${path}.${process.pid}.new`
  writeFileSync(fresh, text, { mode: 0o600 })
  // A file that was left behind by a crash keeps its old mode.
  chmodSync(fresh, 0o600)
  renameSync(fresh, path)
}
