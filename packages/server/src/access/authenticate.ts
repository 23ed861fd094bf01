import type { Permission } from '@hotline/core/roles'
import { type Problem, problem } from '@hotline/protocol/error'
import type { Lists } from '../log/lists.ts'
import type { KeyTable } from '../log/tables.ts'
import type { Clock } from '../machine/clock.ts'
import type { Principal } from './principal.ts'
import { hashToken, readToken, sameHash } from './token.ts'

const allScopes: readonly Permission[] = ['read', 'write', 'decide', 'admin', 'own']
/** A browser session that is not used for so long ends; use moves the end, written at most once a minute. */
export const idleMs = 12 * 60 * 60_000
const noteEveryMs = 60_000

/** Where a credential came in: it must be used the way it was made for. */
export type Door = 'cookie' | 'bearer' | 'ticket'

/**
 * The one place where a credential becomes a principal, whatever the door. Everything it may do comes from rows. The
 * refusal is the same for unknown, wrong, expired and revoked.
 */
export class Authenticator {
  readonly #lists: Lists
  readonly #clock: Clock
  readonly #noted = new Map<string, number>()

  constructor(lists: Lists, clock: Clock) {
    this.#lists = lists
    this.#clock = clock
  }

  async byToken(text: string, door: 'cookie' | 'bearer', address: string): Promise<Principal | Problem> {
    const token = readToken(text)
    if (!token || token.kind === 'wst' || (token.kind === 'ses') !== (door === 'cookie')) return refused()
    const row = await this.#lists.key(token.id)
    if (!row || !sameHash(row.secret_hash, hashToken(text))) return refused()
    return this.#fromRow(row, door, address)
  }

  /** After a ticket was redeemed: the key that asked for it. */
  async byKey(key: string, address: string): Promise<Principal | Problem> {
    const row = await this.#lists.key(key)
    return row ? this.#fromRow(row, 'ticket', address) : refused()
  }

  /** Whether a principal that was built earlier would be built again now. */
  async stillValid(principal: Principal): Promise<boolean> {
    if (principal.kind === 'system') return true
    const again = await this.byKey(principal.key, '')
    return !('code' in again)
  }

  async #fromRow(row: KeyTable, door: Door, address: string): Promise<Principal | Problem> {
    const now = new Date(this.#clock.wallMs()).toISOString()
    const over = row.expires_at <= now || (row.idle_expires_at !== null && row.idle_expires_at <= now)
    if (over || row.revoked_at !== null) return refused()
    const account = row.account === null ? undefined : await this.#lists.account(row.account)
    if (row.kind !== 'run' && (!account || account.disabled === 1)) return refused()
    this.#note(row, address)
    const scopes = JSON.parse(row.scopes) as readonly Permission[]
    const projects = row.projects === null ? undefined : (JSON.parse(row.projects) as readonly string[])
    const common = {
      key: row.key,
      scopes: scopes.length === 0 ? allScopes : scopes,
      ...(projects === undefined ? {} : { projects }),
      accessVersion: account?.access_version ?? 0,
    }
    if (row.kind === 'run') {
      return {
        ...common,
        kind: 'runner',
        id: row.key,
        name: row.name,
        admin: false,
        scopes: [],
        channel: `runner:${row.key}`,
      }
    }
    if (!account) return refused()
    const service = row.kind === 'svc'
    return {
      ...common,
      kind: service ? 'service' : 'person',
      id: service ? row.key : account.account,
      name: service ? row.name : account.name,
      account: account.account,
      admin: account.admin === 1 && common.scopes.includes('admin'),
      channel:
        row.kind === 'ses'
          ? `web:${row.key}`
          : row.name === 'hotline command line'
            ? 'cli:tty0'
            : `${door === 'bearer' ? 'api' : 'web'}:${row.key}`,
    }
  }

  #note(row: KeyTable, address: string): void {
    const nowMs = this.#clock.wallMs()
    if (address === '' || nowMs - (this.#noted.get(row.key) ?? 0) < noteEveryMs) return
    if (this.#noted.size > 10_000) this.#noted.clear()
    this.#noted.set(row.key, nowMs)
    const idle = row.kind === 'ses' ? { idleExpiresAt: new Date(nowMs + idleMs).toISOString() } : {}
    const use = { key: row.key, usedAt: new Date(nowMs).toISOString(), usedFrom: address, ...idle }
    // Losing this note costs a line in a list; it must not cost the request.
    this.#lists.noteKeyUse(use).catch(() => this.#noted.delete(row.key))
  }
}

function refused(): Problem {
  return problem('unauthenticated', 'The credential is missing, wrong, too old or revoked. Sign in again.')
}
