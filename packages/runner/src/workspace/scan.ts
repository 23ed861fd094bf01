import { constants, lstatSync, readdirSync, type Stats } from 'node:fs'
import { join, sep } from 'node:path'
import type { LeftOut } from '@hotline/protocol/events/checkpoint'
import { type Bounds, Skipped } from './bounds.ts'
import { codeOf } from './held-folder.ts'
import { isGitName, whyNotInto } from './names.ts'

/** What is left out is counted whole, and the first ones are named. */
const namedMax = 100

/** What a walk through a workspace tells. */
export interface Scan {
  files: number
  leftOut: readonly LeftOut[]
  leftOutCount: number
}

/** Who is told of each file and link, as it lies there. */
export interface ScanPorts {
  /** Absolute, and no link. */
  root: string
  bounds: Bounds
  /** When it is given up, on the clock of `performance.now()`. */
  deadlineMs: number
  /** Absolute paths that are never looked into: our own. */
  never: ReadonlySet<string>
  /** Something below this folder was kept before: it is looked into, whatever it says of itself. */
  isKept: (folder: string) => boolean
  found: (path: string, stats: Stats) => void
}

/**
 * Walks a workspace. Git is not asked: it would read the configuration of whatever repository lies there. Left out are the
 * repository's own folder, repositories in the repository, caches that say so, and what is neither file nor link.
 */
export function scan(ports: ScanPorts): Scan {
  const { root, bounds, deadlineMs, never, isKept, found } = ports
  const leftOut: LeftOut[] = []
  let leftOutCount = 0
  let files = 0
  const leave = (path: string, why: string): void => {
    leftOutCount += 1
    if (leftOut.length < namedMax) leftOut.push({ path, why })
  }

  const walk = (folder: string, depth: number): void => {
    if (performance.now() > deadlineMs) throw new Skipped('time', `Looking through "${root}" took too long.`)
    if (depth > bounds.depth) return leave(folder, 'lies too deep')
    const here = join(root, folder)
    // To join anew for each file would take as long as to look at it.
    const before = here.endsWith(sep) ? here : `${here}${sep}`
    let entries
    try {
      entries = readdirSync(here, { withFileTypes: true })
    } catch (error) {
      // It went while we looked, or nobody may look.
      if (folder === '') throw new Skipped('folder', `"${root}" cannot be read (${codeOf(error) ?? 'error'}).`)
      if (codeOf(error) !== 'ENOENT') leave(folder, 'cannot be read')
      return
    }
    if (folder !== '' && !isKept(folder)) {
      if (entries.some(({ name }) => isGitName(name))) return leave(folder, 'is a repository of its own')
      if (entries.some(({ name }) => name === 'CACHEDIR.TAG')) return leave(folder, 'says that it is a cache')
    }
    for (const entry of entries) {
      const { name } = entry
      const path = folder === '' ? name : `${folder}/${name}`
      if (isGitName(name)) continue
      if (name.includes('\ufffd')) leave(path, 'has a name that is no text')
      else if (never.size > 0 && never.has(`${before}${name}`)) leave(path, 'belongs to Hotline')
      else if (entry.isDirectory()) {
        const why = isKept(path) ? undefined : whyNotInto(name)
        if (why === undefined) walk(path, depth + 1)
        else leave(path, why)
      } else {
        const stats = lstatSync(`${before}${name}`, { throwIfNoEntry: false })
        if (!stats) continue
        const kind = stats.mode & constants.S_IFMT
        if (kind !== constants.S_IFREG && kind !== constants.S_IFLNK) {
          leave(path, 'is no ordinary file')
          continue
        }
        files += 1
        if (files > bounds.files) {
          throw new Skipped('files', `There are more than ${bounds.files} files in "${root}".`)
        }
        found(path, stats)
      }
    }
  }
  walk('', 0)
  return { files, leftOut, leftOutCount }
}
