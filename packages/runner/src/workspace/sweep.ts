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

/** Removes the stores in a folder that were not used for long, and answers their names. */
export function sweepStores(folder: string, nowMs: number): readonly string[] {
  let names: readonly string[]
  try {
    names = readdirSync(folder)
  } catch {
    // Nothing was ever kept.
    return []
  }
  return names.filter((name) => {
    const used = statSync(join(folder, name, usedFile), { throwIfNoEntry: false })
    if (!used || nowMs - used.mtimeMs < keptForMs) return false
    rmSync(join(folder, name), { recursive: true, force: true })
    return true
  })
}
