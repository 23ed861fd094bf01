import type { Permission } from '@hotline/core/roles'
import { type Problem, problem } from '@hotline/protocol/error'
import type { Lists } from '../log/lists.ts'
import type { KeyTable } from '../log/tables.ts'
import { type Clock, timestamp } from '../machine/clock.ts'
import type { Ids } from '../machine/ids.ts'
import { type AccessDraft, type AccessLog } from './access-log.ts'
import { storeProblem } from './accounts.ts'
import { scopesFor } from './build-principal.ts'
import { type Once, onceOf } from './idempotency-key.ts'
import { actorOf, type Principal } from './principal.ts'
import { mintToken, type Token } from './token.ts'

const dayMs = 24 * 60 * 60 * 1_000
/** Keys of one account that are neither revoked nor expired. */
const keysMax = 100
/** For so long, and at most so many, the answers to requests with an Idempotency-Key are kept, secrets and all. */
const latelyMs = 10 * 60 * 1_000
const latelyMax = 1_000

/** What a new key is to be. */
export interface NewKey {
  kind: 'pat' | 'svc' | 'run'
  name: string
  days: number
  scopes?: readonly Permission[] | undefined
  projects?: readonly string[] | undefined
}

/** A key with its secret, which is in this answer and nowhere else. */
export interface MadeKey {
  token: string
  row: KeyTable
}

/** What keys need of the world. */
export interface KeyPorts {
  lists: Lists
  log: AccessLog
  clock: Clock
  ids: Ids
}

/** Personal tokens, keys of services, keys of runners. A key never has more rights than the credential that made it. */
export class Keys implements Disposable {
  readonly #ports: KeyPorts
  /** Answers with their secrets, for senders who did not hear them. */
  readonly #lately = new Map<string, { answer: MadeKey; forget: () => void }>()

  constructor(ports: KeyPorts) {
    this.#ports = ports
  }

  /** Makes a key; its secret is in the answer and nowhere else. */
  async create(by: Principal, what: NewKey, idempotencyKey?: string): Promise<MadeKey | Problem> {
    const forbidden = forbiddenTo(by, what)
    if (forbidden) return forbidden
    const asked = [what.kind, what.name, what.days, what.scopes ?? null, what.projects ?? null]
    // The credential too: one with fewer rights must not be handed what another one of the same person made.
    const once = onceOf(by, idempotencyKey, ['key', by.key, ...asked])
    const before = await this.#madeBefore(once)
    if (before) return before
    const refusal = await this.#refusal(by, what)
    if (refusal) return refusal
    const { log, clock, ids } = this.#ports
    const token = mintToken(what.kind, ids.uuid())
    const row = newKeyRow(token, {
      ...what,
      account: what.kind === 'run' ? null : (by.account ?? null),
      scopes: what.scopes ?? by.scopes,
      projects: what.projects ?? by.projects,
      createdAt: timestamp(clock),
      expiresAt: new Date(clock.wallMs() + what.days * dayMs).toISOString(),
    })
    const written = await log.write({
      actor: actorOf(by),
      channel: by.channel,
      address: by.address,
      events: keyEvents(row),
      rows: [{ table: 'keys', insert: row }],
      once: once && { what: once, answer: { key: row.key } },
    })
    // Where two with one key came at once, the other one has made it.
    if (!written.ok) return (written.reason === 'conflict' && (await this.#madeBefore(once))) || storeProblem(written)
    const made = { token: token.text, row }
    if (once) this.#remember(made)
    return made
  }

  /** The whole answer for a while; after that, or a restart, only that there was one: its secret is nowhere any more. */
  async #madeBefore(once: Once | undefined): Promise<MadeKey | Problem | undefined> {
    const earlier = await this.#ports.log.earlier(once)
    if (!earlier || 'code' in earlier) return earlier
    const { key } = JSON.parse(earlier.answer) as { key: string }
    const made = this.#lately.get(key)
    // One that was revoked meanwhile opens nothing, and its answer would say that it does.
    if (made && (await this.#ports.lists.key(key))?.revoked_at === null) return made.answer
    const detail =
      'With this Idempotency-Key a key was made already, and its secret was shown then. Revoke it and make another.'
    return problem('already_exists', detail, { key })
  }

  #remember(answer: MadeKey): void {
    const { key } = answer.row
    for (const [oldest, { forget }] of this.#lately) {
      if (this.#lately.size < latelyMax) break
      forget()
      this.#lately.delete(oldest)
    }
    const forget = this.#ports.clock.after(latelyMs, () => this.#lately.delete(key))
    this.#lately.set(key, { answer, forget })
  }

  /** Forgets the secrets. */
  [Symbol.dispose](): void {
    for (const { forget } of this.#lately.values()) forget()
    this.#lately.clear()
  }

  /**
   * Keys that the principal may see, newest first: its own, browser sessions too, and for admins of the server those of
   * runners. A service, a runner or a key for some projects sees itself.
   */
  async list(by: Principal): Promise<readonly KeyTable[]> {
    const { lists, clock } = this.#ports
    if (by.kind !== 'person' || by.projects !== undefined) {
      const own = await lists.key(by.key)
      return own ? [own] : []
    }
    const now = timestamp(clock)
    const ofRunners = by.admin ? await lists.keysOf(null) : []
    return [...(await lists.keysOf(by.id)), ...ofRunners].filter(
      (row) =>
        row.revoked_at === null &&
        (row.kind !== 'ses' || (row.expires_at > now && (row.idle_expires_at ?? '') > now)) &&
        (row.kind !== 'rst' || row.expires_at > now),
    )
  }

  /** Revokes a key. One that is not the asker's to see is not found. */
  async revoke(by: Principal, key: string): Promise<Problem | undefined> {
    const { lists, log, clock } = this.#ports
    const row = await lists.key(key)
    const visible = row && (await this.list(by)).some((one) => one.key === row.key)
    if (!row || !visible) return problem('not_found', 'There is no such key, or it is not yours.')
    if (row.key !== by.key && !by.scopes.includes('write')) {
      return problem('forbidden', 'This credential does not have the scope "write".')
    }
    const change = row.kind === 'ses' ? { drop: { key } } : { set: { revoked_at: timestamp(clock) }, where: { key } }
    const written = await log.write({
      actor: actorOf(by),
      channel: by.channel,
      address: by.address,
      events: [{ type: 'key.revoked', subject: `key:${key}`, data: { key } }],
      rows: [{ table: 'keys', ...change }],
    })
    return written.ok ? undefined : storeProblem(written)
  }

  async #refusal(by: Principal, what: NewKey): Promise<Problem | undefined> {
    const { lists, clock } = this.#ports
    const mine = what.kind === 'run' && by.projects === undefined ? undefined : await this.#projects(by)
    const strange = mine === undefined ? [] : (what.projects ?? []).filter((project) => !mine.includes(project))
    if (strange.length > 0)
      return problem('not_found', 'You are not a member of all of these projects.', { projects: strange })
    const now = timestamp(clock)
    const live = (await lists.keysOf(what.kind === 'run' ? null : by.id)).filter(
      (row) => row.kind !== 'ses' && row.revoked_at === null && row.expires_at > now,
    )
    if (live.length < keysMax) return undefined
    return problem('queue_full', `There are ${keysMax} keys already. Revoke those that are not used.`, {
      limit: keysMax,
    })
  }

  async #projects(by: Principal): Promise<readonly string[]> {
    const mine = (await this.#ports.lists.projectsOf(by.account ?? by.id)).map(({ project }) => project)
    return mine.filter((project) => by.projects === undefined || by.projects.includes(project))
  }
}

/** What no key may be made for, however often it is asked: said before an earlier answer, and its secret, is looked up. */
function forbiddenTo(by: Principal, what: NewKey): Problem | undefined {
  if (by.kind !== 'person') return problem('forbidden', 'Only a person can make keys.')
  if (what.kind === 'run') {
    if (!by.admin) return problem('forbidden', 'Only an admin of this server can make the key of a runner.')
    if (what.scopes) return problem('invalid_request', 'The key of a runner has no scopes; leave them out.')
  }
  if (what.kind === 'svc' && what.scopes?.includes('decide_high')) {
    return problem('invalid_request', 'What is of high risk is allowed by people: a service cannot have "decide_high".')
  }
  const missing = what.scopes?.filter((scope) => !by.scopes.includes(scope)) ?? []
  if (missing.length === 0) return undefined
  return problem('forbidden', `Your own credential does not have the scope "${missing.join('", "')}".`)
}

/** The row of a key that was just made. */
export function newKeyRow(
  token: Token,
  what: {
    account: string | null
    name: string
    scopes: readonly Permission[]
    projects?: readonly string[] | undefined
    createdAt: string
    expiresAt: string
  },
): KeyTable {
  return {
    key: token.id,
    kind: token.kind,
    account: what.account,
    name: what.name,
    secret_hash: token.hash,
    scopes: JSON.stringify(token.kind === 'run' ? [] : scopesFor(token.kind, what.scopes)),
    projects: what.projects === undefined ? null : JSON.stringify(what.projects),
    created_at: what.createdAt,
    expires_at: what.expiresAt,
    idle_expires_at: null,
    last_used_at: null,
    last_used_from: null,
    revoked_at: null,
  }
}

/** The lines of the audit about a new key. */
export function keyEvents(row: KeyTable): readonly AccessDraft[] {
  const kind = row.kind as 'pat' | 'svc' | 'run'
  const made: AccessDraft = {
    type: 'key.created',
    subject: `key:${row.key}`,
    data: {
      key: row.key,
      kind,
      ...(row.account === null ? {} : { account: row.account }),
      expiresAt: row.expires_at,
      scopes: JSON.parse(row.scopes) as string[],
      ...(row.projects === null ? {} : { projects: JSON.parse(row.projects) as string[] }),
    },
    body: { name: row.name },
  }
  if (kind !== 'run') return [made]
  return [
    made,
    {
      type: 'runner.enrolled',
      subject: `runner:${row.key}`,
      data: { runner: row.key, key: row.key },
      body: { name: row.name },
    },
  ]
}
