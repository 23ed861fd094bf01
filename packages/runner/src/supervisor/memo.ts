import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { CursorText } from '@hotline/protocol/ids'
import { z } from 'zod'
import type { Remembered } from './session-log.ts'

/** How the file is laid out and how the fold works; another number, and it is read anew from the log. */
const version = 1

const Memo = z.object({
  version: z.literal(version),
  cursor: CursorText,
  remembered: z.looseObject({ state: z.looseObject({ kind: z.literal('session') }) }),
})

/** What is known of a session up to a position of its stream. Nothing is lost with it: the log has everything. */
export interface Memo {
  cursor: string
  remembered: Remembered
}

/** Undefined where there is none that can be used. */
export function readMemo(file: string): Memo | undefined {
  try {
    const { cursor, remembered } = Memo.parse(JSON.parse(readFileSync(file, 'utf8')))
    return { cursor, remembered: remembered as unknown as Remembered }
  } catch {
    return undefined
  }
}

/** Puts a whole file in the place of the old one. Throws what the file system throws. */
export function writeMemo(file: string, memo: Memo): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const beside = `${file}.new`
  writeFileSync(beside, JSON.stringify({ version, ...memo }), { mode: 0o600 })
  renameSync(beside, file)
}

/** Forgets it; there may be none. */
export function removeMemo(file: string): void {
  rmSync(file, { force: true })
}
