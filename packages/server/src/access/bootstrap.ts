import { randomBytes } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../machine/clock.ts'
import { hashToken, sameHash } from './token.ts'

const lifeMs = 30 * 60_000

/** The one-use code that makes the first account. It is printed, and lies in a file that only this user can read. */
export interface Bootstrap {
  /** Undefined once it was used, is too old, or was never needed. */
  readonly code: string | undefined
  matches(code: string): boolean
  close(): void
}

export function openBootstrap(dataDir: string, clock: Clock): Bootstrap {
  const file = join(dataDir, 'bootstrap-code')
  const untilMs = clock.monotonicMs() + lifeMs
  let code: string | undefined = randomBytes(20).toString('base64url')
  writeFileSync(file, `${code}\n`, { mode: 0o600 })
  const current = (): string | undefined => (clock.monotonicMs() < untilMs ? code : undefined)
  return {
    get code() {
      return current()
    },
    matches: (given) => {
      const now = current()
      return now !== undefined && sameHash(hashToken(given), hashToken(now))
    },
    close: () => {
      code = undefined
      rmSync(file, { force: true })
    },
  }
}

/** A server that has accounts. */
export const closedBootstrap: Bootstrap = { code: undefined, matches: () => false, close: () => undefined }
