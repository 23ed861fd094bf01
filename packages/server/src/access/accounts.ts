import type { Actor } from '@hotline/protocol/actor'
import { type Problem, problem } from '@hotline/protocol/error'
import type { DraftOf } from '@hotline/protocol/events'
import { serverStream } from '@hotline/protocol/stream'
import { protocolVersion } from '@hotline/protocol/version'
import type { Bus } from '../log/bus.ts'
import type { Lists } from '../log/lists.ts'
import type { LogStore } from '../log/log-store.ts'
import type { RowChange } from '../log/tables.ts'
import { type Clock, timestamp } from '../machine/clock.ts'
import type { Ids } from '../machine/ids.ts'
import { idleMs } from './authenticate.ts'
import type { Passwords } from './passwords.ts'
import { weakness } from './passwords.ts'
import type { Principal } from './principal.ts'
import { hashToken, mintToken } from './token.ts'

const dayMs = 24 * 60 * 60_000
const browserSessionDays = 7

type ServerDraft = DraftOf<
  | 'account.created'
  | 'account.password_changed'
  | 'account.signed_in'
  | 'account.locked'
  | 'key.created'
  | 'key.revoked'
  | 'runner.enrolled'
>
export type Outcome<T> = { ok: true; value: T } | { ok: false; problem: Problem }

/** A new key with its secret, which is shown once. */
export interface MintedKey {
  key: string
  token: string
  expiresAt: string
}

interface KeyWish {
  kind: 'ses' | 'pat' | 'svc' | 'run'
  name: string
  account: string | null
  days: number
  scopes?: readonly string[] | undefined
  projects?: readonly string[] | undefined
}

export interface AccountPorts {
  store: LogStore
  bus: Bus
  lists: Lists
  passwords: Passwords
  clock: Clock
  ids: Ids
  /** Rights of an account changed: its open connections look again. */
  changed: (account: string) => void
}

/** Accounts and keys: each change is an event of the server's stream, with its rows in the same transaction. */
export class Accounts {
  readonly #ports: AccountPorts

  constructor(ports: AccountPorts) {
    this.#ports = ports
  }

  /** `first`: the bootstrap; two at once cannot both win, since the fact can be inserted once. */
  async create(
    actor: Actor,
    wish: { name: string; password: string; admin: boolean },
    more: readonly RowChange[] = [],
  ): Promise<Outcome<{ account: string }>> {
    const weak = weakness(wish.password, wish.name)
    if (weak !== undefined) return { ok: false, problem: problem('weak_password', weak) }
    const password = await this.#ports.passwords.hash(wish.password)
    if (password === 'busy') return { ok: false, problem: busy() }
    const account = this.#ports.ids.uuid()
    const row = {
      account,
      name: wish.name,
      name_key: wish.name.toLowerCase(),
      password,
      admin: wish.admin ? 1 : 0,
      disabled: 0,
      access_version: this.#ports.clock.wallMs(),
      created_at: timestamp(this.#ports.clock),
    }
    const draft: ServerDraft = {
      type: 'account.created',
      data: { account, admin: wish.admin },
      body: { name: wish.name },
    }
    const refusal = await this.#append(actor, [draft], [{ table: 'accounts', insert: row }, ...more])
    if (!refusal) return { ok: true, value: { account } }
    return {
      ok: false,
      problem: refusal.code === 'already_exists' ? problem('already_exists', 'This name is taken.') : refusal,
    }
  }

  /** A key of any kind. */
  async mint(actor: Actor, wish: KeyWish): Promise<Outcome<MintedKey>> {
    const { kind, id, text } = mintToken(wish.kind)
    const nowMs = this.#ports.clock.wallMs()
    const expiresAt = new Date(nowMs + wish.days * dayMs).toISOString()
    const row: RowChange = {
      table: 'keys',
      insert: {
        key: id,
        kind,
        account: wish.account,
        name: wish.name,
        secret_hash: hashToken(text),
        scopes: JSON.stringify(wish.scopes ?? []),
        projects: wish.projects ? JSON.stringify(wish.projects) : null,
        created_at: new Date(nowMs).toISOString(),
        expires_at: expiresAt,
        idle_expires_at: kind === 'ses' ? new Date(nowMs + idleMs).toISOString() : null,
        last_used_at: null,
        last_used_from: null,
        revoked_at: null,
      },
    }
    const drafts: ServerDraft[] = [
      {
        type: 'key.created',
        data: {
          key: id,
          kind: wish.kind,
          ...(wish.account === null ? {} : { account: wish.account }),
          expiresAt,
          scopes: [...(wish.scopes ?? [])],
          ...(wish.projects ? { projects: [...wish.projects] } : {}),
        },
        body: { name: wish.name },
      },
    ]
    if (kind === 'run')
      drafts.push({ type: 'runner.enrolled', data: { runner: id, key: id }, body: { name: wish.name } })
    const refusal = await this.#append(actor, drafts, [row])
    return refusal ? { ok: false, problem: refusal } : { ok: true, value: { key: id, token: text, expiresAt } }
  }

  /** A browser's session. */
  async signIn(account: string): Promise<Outcome<MintedKey>> {
    const actor: Actor = { kind: 'person', id: account }
    const minted = await this.mint(actor, { kind: 'ses', name: 'browser', account, days: browserSessionDays })
    if (!minted.ok) return minted
    const draft: ServerDraft = { type: 'account.signed_in', data: { account, key: minted.value.key } }
    const refusal = await this.#append(actor, [draft], [])
    return refusal ? { ok: false, problem: refusal } : minted
  }

  async noteLock(account: string, untilMs: number): Promise<void> {
    const until = new Date(untilMs).toISOString()
    await this.#append({ kind: 'system', id: 'server' }, [{ type: 'account.locked', data: { account, until } }], [])
  }

  /** Revoking what is revoked already changes nothing. */
  async revoke(actor: Actor, key: string): Promise<Problem | undefined> {
    const row = await this.#ports.lists.key(key)
    if (!row || row.revoked_at !== null) return undefined
    const set = { revoked_at: timestamp(this.#ports.clock) }
    const refusal = await this.#append(
      actor,
      [{ type: 'key.revoked', data: { key } }],
      [{ table: 'keys', set, where: { key } }],
    )
    if (!refusal && row.account !== null) this.#ports.changed(row.account)
    return refusal
  }

  /** The new password ends every other browser session of the account. */
  async changePassword(principal: Principal, current: string, next: string): Promise<Problem | undefined> {
    const account = principal.account ?? ''
    const row = await this.#ports.lists.account(account)
    const right = await this.#ports.passwords.verify(row?.password, current)
    if (right === 'busy') return busy()
    if (!right || !row) return problem('wrong_credentials', 'The present password is wrong.')
    const weak = weakness(next, row.name)
    if (weak !== undefined) return problem('weak_password', weak)
    const password = await this.#ports.passwords.hash(next)
    if (password === 'busy') return busy()
    const now = timestamp(this.#ports.clock)
    const others = (await this.#ports.lists.keysOf(account)).filter(
      ({ kind, key, revoked_at }) => kind === 'ses' && key !== principal.key && revoked_at === null,
    )
    const refusal = await this.#append(
      { kind: 'person', id: account },
      [
        { type: 'account.password_changed', data: { account } },
        ...others.map(({ key }): ServerDraft => ({ type: 'key.revoked', data: { key } })),
      ],
      [
        { table: 'accounts', set: { password, access_version: this.#ports.clock.wallMs() }, where: { account } },
        ...others.map(({ key }): RowChange => ({ table: 'keys', set: { revoked_at: now }, where: { key } })),
      ],
    )
    if (!refusal) this.#ports.changed(account)
    return refusal
  }

  async #append(
    actor: Actor,
    drafts: readonly ServerDraft[],
    rows: readonly RowChange[],
  ): Promise<Problem | undefined> {
    const at = timestamp(this.#ports.clock)
    const events = drafts.map((draft) => ({ v: protocolVersion, at, actor, ...draft }))
    const result = await this.#ports.store.append([{ stream: serverStream, expect: 'any', events, rows }])
    if (result.ok) {
      this.#ports.bus.publish(result.appended)
      return undefined
    }
    if (result.reason === 'conflict') return problem('already_exists', 'This exists already.')
    return problem('storage_unavailable', 'The log cannot be written now; nothing was changed. Try again in a moment.')
  }
}

function busy(): Problem {
  return problem('rate_limited', 'Too many are signing in at once. Try again in a moment.', { retryAfterMs: 2_000 })
}
