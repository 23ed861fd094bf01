import { lstat, realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { type PolicyRequest, readDeed } from '@hotline/core/policy/deed'
import { namedPaths } from '@hotline/core/policy/named-path'

/** A request that names more is one for a person. */
const pathsMax = 100

/**
 * Where the files that a request names lead on this machine now, with all links followed, and where its folder is; undefined where
 * it names none. For rules about files: a name alone says little.
 */
export async function openedPaths(request: PolicyRequest): Promise<Record<string, string> | undefined> {
  const { cwd } = request
  const deed = readDeed(request)
  const paths = namedPaths(deed)
  const isAboutFiles = deed.does === 'edit' || deed.does === 'read' || paths.length > 0
  if (cwd === undefined || !isAboutFiles || paths.length > pathsMax) return undefined
  const opened: Record<string, string> = {}
  for (const path of [cwd, ...paths]) {
    const found = path.includes('\0') ? undefined : await whereTo(resolve(cwd, path))
    if (found !== undefined) opened[path] = found
  }
  return opened
}

/** What is not there yet will be where its folder is; undefined where nobody knows, as behind a link that leads to nothing. */
async function whereTo(path: string): Promise<string | undefined> {
  try {
    return await realpath(path)
  } catch {
    if (!(await isAbsent(path))) return undefined
    const folder = await whereTo(dirname(path))
    return folder === undefined ? undefined : join(folder, basename(path))
  }
}

async function isAbsent(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT'
  }
}
