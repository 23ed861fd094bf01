import type { Permission } from '@hotline/core/roles'
import type { AccountTable, KeyTable } from '../log/tables.ts'
import type { Principal } from './principal.ts'

/** Everything; what a browser session has. */
export const allScopes: readonly Permission[] = ['read', 'write', 'decide', 'decide_high', 'admin', 'own']
/** What a runner may ask for; its commands are checked by kind. */
const runnerScopes: readonly Permission[] = ['read']

/** The principal of a runner's key. */
export function runnerPrincipal(row: KeyTable): Principal {
  return {
    kind: 'runner',
    id: row.key,
    name: row.name,
    key: row.key,
    admin: false,
    scopes: runnerScopes,
    projects: projectsOf(row),
    accessVersion: 0,
    endsMs: endOf(row),
    channel: `runner:${row.key}`,
  }
}

/** The principal of a person's or a service's key. */
export function accountPrincipal(row: KeyTable, account: AccountTable): Principal {
  const scopes = scopesOf(row)
  const service = row.kind === 'svc'
  return {
    kind: service ? 'service' : 'person',
    id: service ? row.key : account.account,
    name: service ? row.name : account.name,
    account: account.account,
    key: row.key,
    // The server is more than any of its projects.
    admin: account.admin !== 0 && scopes.includes('admin') && row.projects === null,
    scopes,
    projects: projectsOf(row),
    accessVersion: account.access_version,
    endsMs: endOf(row),
    channel: `${row.kind === 'ses' ? 'web' : 'api'}:${row.key}`,
  }
}

/** The same for no longer than a token that was signed for its key. */
export function until(principal: Principal, signedUntilMs: number): Principal {
  return { ...principal, signedUntilMs, endsMs: Math.min(signedUntilMs, principal.endsMs ?? Infinity) }
}

function scopesOf(row: KeyTable): readonly Permission[] {
  const stored = JSON.parse(row.scopes) as unknown
  return Array.isArray(stored) ? scopesFor(row.kind, stored) : []
}

/**
 * What a credential of this kind may of what it was given. Who may own may everything, also what had no name yet when it was
 * made; a program never allows what is of high risk.
 */
export function scopesFor(kind: KeyTable['kind'], given: readonly unknown[]): readonly Permission[] {
  const all = given.includes('own') ? allScopes : allScopes.filter((scope) => given.includes(scope))
  return kind === 'svc' ? all.filter((scope) => scope !== 'decide_high') : all
}

function projectsOf(row: KeyTable): readonly string[] | undefined {
  if (row.projects === null) return undefined
  const stored = JSON.parse(row.projects) as unknown
  return Array.isArray(stored) ? stored.map(String) : []
}

/** When a key ends: the earlier of expiry and idle end, in wall milliseconds. */
export function endOf(row: KeyTable): number {
  const end = Date.parse(row.expires_at)
  return row.idle_expires_at === null ? end : Math.min(end, Date.parse(row.idle_expires_at))
}
