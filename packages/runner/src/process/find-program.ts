import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join, resolve } from 'node:path'

/**
 * The file that a program's name stands for: itself where it is a path (against `cwd` where it is relative), else the
 * first on `path` that can be run. Undefined where there is none. No shell is asked.
 */
export function findProgram(name: string, path: string | undefined, cwd?: string): string | undefined {
  if (name === '' || name.startsWith('-') || name.includes('\0')) return undefined
  if (name.includes('/') || name.includes('\\')) {
    const file = isAbsolute(name) ? name : cwd === undefined ? undefined : resolve(cwd, name)
    return file !== undefined && canRun(file) ? file : undefined
  }
  const folders = (path ?? '').split(delimiter).filter((folder) => isAbsolute(folder))
  return folders.map((folder) => join(folder, name)).find(canRun)
}

function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
