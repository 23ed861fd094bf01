import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { options } from './options.ts'
import { ConfigError } from './read-config.ts'

const ownerOnly = 0o700
const othersWrite = 0o022

/**
 * Makes the data directory (0700) or checks the one that exists, and answers what an operator should know. Throws a
 * `ConfigError` where others could write it: who can change the log or the keys can do everything.
 */
export function prepareDataDirectory(path: string): readonly string[] {
  const warnings: string[] = []
  try {
    makeDirectory(resolve(path))
  } catch (error) {
    throw new ConfigError(`The data directory ${path} cannot be made (${describe(error)}). Set ${options.dataDir.env}.`)
  }
  const stat = statSync(path)
  if (!stat.isDirectory())
    throw new ConfigError(`${path} is not a directory. Set ${options.dataDir.env} to another path.`)
  const user = process.getuid?.()
  // Windows has no owner and mode that would mean the same.
  if (user === undefined) return warnings
  if (user === 0) warnings.push('Hotline runs as root. Use an account of its own: agents get the rights of this one.')
  else if (stat.uid !== user) {
    throw new ConfigError(`The data directory ${path} belongs to another user. Give it to this one, or choose another.`)
  }
  if ((stat.mode & othersWrite) !== 0) {
    throw new ConfigError(`Others can write the data directory ${path}. Run: chmod 700 ${path}`)
  }
  if ((stat.mode & 0o077) !== 0) {
    chmodSync(path, ownerOnly)
    warnings.push(`Others could read the data directory ${path}; now only its owner can.`)
  }
  return warnings
}

/**
 * Makes a directory of this user alone, and those above it. One by one: where no directory can be made (`/proc/x`), Node's
 * own recursion never ends. Throws what the file system throws.
 */
export function makeDirectory(path: string): void {
  if (existsSync(path)) return
  const parent = dirname(path)
  if (parent !== path) makeDirectory(parent)
  mkdirSync(path, { mode: ownerOnly })
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
