import type { Lists } from '../log/lists.ts'
import type { KeyTable, RowChange } from '../log/tables.ts'
import type { Clock } from '../machine/clock.ts'
import type { Ids } from '../machine/ids.ts'
import { sessionIdleMs } from './authenticator.ts'
import { allScopes } from './build-principal.ts'
import { mintToken, type Token } from './token.ts'

/** A browser's session ends after so long, however much it is used. */
export const sessionMaxMs = 7 * 24 * 60 * 60 * 1_000
/** Sessions of one account; the oldest goes when there is one more. */
const sessionsMax = 50

/** A new session for an account: the secret for the cookie, and its row. `device`: what the browser says that it is. */
export function newSession(
  account: string,
  device: string | undefined,
  ports: { clock: Clock; ids: Ids },
): { token: Token; row: RowChange } {
  const token = mintToken('ses', ports.ids.uuid())
  const now = ports.clock.wallMs()
  const insert: KeyTable = {
    key: token.id,
    kind: 'ses',
    account,
    name: device ?? 'browser',
    secret_hash: token.hash,
    scopes: JSON.stringify(allScopes),
    projects: null,
    created_at: at(now),
    expires_at: at(now + sessionMaxMs),
    idle_expires_at: at(now + sessionIdleMs),
    last_used_at: null,
    last_used_from: null,
    revoked_at: null,
  }
  return { token, row: { table: 'keys', insert } }
}

/** Removes sessions of an account that have ended, the oldest beyond the limit, and the one that is replaced. */
export async function dropOldSessions(
  account: string,
  ports: { lists: Lists; clock: Clock; replaced: string | undefined },
): Promise<readonly RowChange[]> {
  const now = at(ports.clock.wallMs())
  const sessions = (await ports.lists.keysOf(account)).filter(({ kind }) => kind === 'ses')
  const ended = sessions.filter(
    (row, index) =>
      row.key === ports.replaced ||
      row.expires_at <= now ||
      (row.idle_expires_at ?? now) <= now ||
      index >= sessionsMax - 1,
  )
  return ended.map(({ key }) => ({ table: 'keys', drop: { key } }))
}

function at(wallMs: number): string {
  return new Date(wallMs).toISOString()
}
