import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Which code was measured, as far as git knows. */
export interface Version {
  commit: string
  /** Whether files differed from the commit. */
  changed: boolean
}

/** Asks git; outside of a clone there is no answer. */
export function describeVersion(): Version {
  try {
    return { commit: git('rev-parse', '--short=12', 'HEAD'), changed: git('status', '--porcelain') !== '' }
  } catch {
    return { commit: 'unknown', changed: true }
  }
}

function git(...args: string[]): string {
  const cwd = fileURLToPath(new URL('.', import.meta.url))
  return execFileSync('git', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
}
