import { readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Snapshots that nobody has added to for so long are forgotten: they grow with every change of every file. */
const keptForMs = 30 * 24 * 60 * 60 * 1_000

/** The file whose time says when a store was last used. */
const usedFile = 'used'

/** A store was used now. */
export function noteUse(store: string): void {
  const file = join(store, usedFile)
  try {
    const now = new Date()
    utimesSync(file, now, now)
  } catch {
    writeFileSync(file, '')
  }
}

/** Removes the folders in a folder into which nothing was put for long: what they were for is over, or was forgotten elsewhere. */
export function sweepUnused(folder: string, nowMs: number): void {
  for (const name of namesIn(folder)) {
    const path = join(folder, name)
    if (nowMs - statSync(path).mtimeMs >= keptForMs) rmSync(path, { recursive: true, force: true })
  }
}

/** Removes the stores in a folder that were not used for long, and answers their names. */
export function sweepStores(folder: string, nowMs: number): readonly string[] {
  return namesIn(folder).filter((name) => {
    const used = statSync(join(folder, name, usedFile), { throwIfNoEntry: false })
    if (!used || nowMs - used.mtimeMs < keptForMs) return false
    rmSync(join(folder, name), { recursive: true, force: true })
    return true
  })
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    // Nothing was ever kept.
    return []
  }
}
