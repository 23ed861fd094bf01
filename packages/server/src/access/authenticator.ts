import { type Problem, problem } from '@hotline/protocol/error'
import type { KeyKind } from '@hotline/protocol/events/server'
import type { Lists } from '../log/lists.ts'
import type { KeyTable } from '../log/tables.ts'
import type { Clock } from '../machine/clock.ts'
import type { AccessFeed } from './access-feed.ts'
import { accountPrincipal, endOf, runnerPrincipal, until } from './build-principal.ts'
import type { Principal } from './principal.ts'
import { looksSigned, type ServiceTokens, type SignedClaim } from './service-tokens.ts'
import type { Tickets } from './tickets.ts'
import { sha256 } from '../machine/sha256.ts'
import { parseToken, sameDigest, type Token } from './token.ts'

/** A credential and the door it came through; the door decides which kinds of key are taken. */
export type Credential =
  | { door: 'cookie'; token: string }
  | { door: 'header'; token: string }
  | { door: 'hello'; token: string }
  | { door: 'ticket'; token: string; origin: string | undefined }

/** A browser's session is for its cookie alone: what leaks from a page's storage or a log opens nothing. */
const taken: Record<'cookie' | 'header' | 'hello', readonly KeyKind[]> = {
  cookie: ['ses'],
  header: ['pat', 'svc', 'run'],
  hello: ['pat', 'svc', 'run'],
}

/** Principals kept in memory. */
const cachedMax = 5_000
/** For so long a principal is believed without reading its rows. The bus tells of changes at once; this is for what the bus lost. */
const freshMs = 1_000
/** Uses of a key are noted this often. */
const noteEveryMs = 60_000
/** Without use for so long, a browser's session ends. */
export const sessionIdleMs = 12 * 60 * 60 * 1_000

interface Cached {
  principal: Principal
  row: KeyTable
  endsMs: number
  readAtMs: number
}

/** The one place where a credential becomes a principal, for every door. */
export class Authenticator implements Disposable {
  readonly #lists: Lists
  readonly #clock: Clock
  readonly #tickets: Tickets
  readonly #serviceTokens: ServiceTokens
  readonly #fault: (error: unknown) => void
  readonly #cache = new Map<string, Cached>()
  readonly #notedAtMs = new Map<string, number>()
  readonly #feed: AccessFeed
  readonly #leave: () => void

  constructor(ports: {
    lists: Lists
    clock: Clock
    tickets: Tickets
    serviceTokens: ServiceTokens
    feed: AccessFeed
    fault: (error: unknown) => void
  }) {
    this.#lists = ports.lists
    this.#clock = ports.clock
    this.#tickets = ports.tickets
    this.#serviceTokens = ports.serviceTokens
    this.#fault = ports.fault
    this.#feed = ports.feed
    this.#leave = ports.feed.onAccessChanged(({ account, key }) => {
      for (const [hash, cached] of this.#cache) {
        if (cached.row.account === account || cached.row.key === key) this.#cache.delete(hash)
      }
    })
  }

  /** Who this is; `from` is the network address, kept as the key's last use. Throws where the lists cannot be read. */
  async authenticate(credential: Credential, from: string): Promise<Principal | Problem> {
    if (credential.door === 'ticket') return this.#redeem(credential.token, credential.origin)
    if (credential.door !== 'cookie' && looksSigned(credential.token)) return this.#signed(credential.token, from)
    const token = parseToken(credential.token)
    if (!token) return refused('This is not a token of Hotline, or it was mistyped.')
    if (!taken[credential.door].includes(token.kind)) return refused('This kind of token is not taken here.')
    return this.#cached(token.hash, from) ?? this.#read(token, from)
  }

  /**
   * The principal as its rows have it now, for a connection that goes on with it; undefined where the credential no longer
   * holds, or not with the rights that it was built with.
   */
  async renewed(principal: Principal): Promise<Principal | undefined> {
    if (principal.kind === 'system') return principal
    const { signedUntilMs } = principal
    if (signedUntilMs !== undefined && this.#clock.wallMs() >= signedUntilMs) return undefined
    const now = await this.byKey(principal.key)
    const isSame =
      !('code' in now) &&
      now.admin === principal.admin &&
      now.scopes.length === principal.scopes.length &&
      JSON.stringify(now.projects) === JSON.stringify(principal.projects)
    // What its program said of itself, it said once.
    if (!isSame) return undefined
    const renewed = { ...now, channel: principal.channel, address: principal.address }
    return signedUntilMs === undefined ? renewed : until(renewed, signedUntilMs)
  }

  /** What is sent over an open connection is a use of its key as well. */
  used({ key }: Principal): void {
    if (!this.#noteIsDue(key)) return
    this.#lists
      .key(key)
      .then((row) => row && this.#writeUse(row, row.last_used_from ?? ''))
      .catch(this.#fault)
  }

  /** The principal of a key that was proved before. */
  async byKey(key: string): Promise<Principal | Problem> {
    const row = await this.#lists.key(key)
    return row ? this.#build(row) : gone()
  }

  [Symbol.dispose](): void {
    this.#leave()
    this.#cache.clear()
  }

  async #redeem(ticket: string, origin: string | undefined): Promise<Principal | Problem> {
    const key = this.#tickets.redeem(ticket, origin)
    if (key !== undefined) {
      const principal = await this.byKey(key)
      if (!('code' in principal)) return principal
    }
    return problem('ticket_invalid', 'The ticket is unknown, used, for another origin, or older than 30 seconds.')
  }

  #cached(hash: string, from: string): Principal | undefined {
    const cached = this.#cache.get(hash)
    if (!cached || this.#clock.wallMs() >= cached.endsMs) return undefined
    if (this.#clock.monotonicMs() - cached.readAtMs >= freshMs) return undefined
    this.#note(cached.row, from)
    return cached.principal
  }

  /** A token that was signed for a service's key: worth what the key is worth now, and no longer than it says. */
  async #signed(text: string, from: string): Promise<Principal | Problem> {
    const hash = sha256(text)
    const cached = this.#cached(hash, from)
    if (cached) return cached
    const claim = await this.#serviceTokens.verify(text)
    return claim && this.#clock.wallMs() < claim.endsMs ? this.#readSigned(hash, claim, from) : gone()
  }

  #read({ hash, id, kind }: Token, from: string): Promise<Principal | Problem> {
    const isIt = (row: KeyTable): boolean => row.kind === kind && sameDigest(row.secret_hash, hash)
    return this.#readRow({ hash, id, isIt, from })
  }

  #readSigned(hash: string, { key, endsMs }: SignedClaim, from: string): Promise<Principal | Problem> {
    return this.#readRow({ hash, id: key, isIt: ({ kind }) => kind === 'svc', from, endsMs })
  }

  async #readRow(what: {
    hash: string
    id: string
    isIt: (row: KeyTable) => boolean
    from: string
    endsMs?: number
  }): Promise<Principal | Problem> {
    const { hash, id, from } = what
    const { changes } = this.#feed
    const readAtMs = this.#clock.monotonicMs()
    const row = await this.#lists.key(id)
    if (!row || !what.isIt(row)) return gone()
    const built = await this.#build(row)
    if ('code' in built) return built
    const principal = what.endsMs === undefined ? built : until(built, what.endsMs)
    if (changes === this.#feed.changes) {
      this.#cache.delete(hash)
      this.#cache.set(hash, { principal, row, endsMs: principal.endsMs ?? endOf(row), readAtMs })
      trim(this.#cache, cachedMax)
    }
    this.#note(row, from)
    return principal
  }

  async #build(row: KeyTable): Promise<Principal | Problem> {
    const now = this.#clock.wallMs()
    if (row.revoked_at !== null || now >= endOf(row)) return gone()
    if (row.kind === 'run') return runnerPrincipal(row)
    const account = row.account === null ? undefined : await this.#lists.account(row.account)
    if (!account || account.disabled !== 0) return gone()
    return accountPrincipal(row, account)
  }

  #note(row: KeyTable, from: string): void {
    if (this.#noteIsDue(row.key)) this.#writeUse(row, from).catch(this.#fault)
  }

  /**
   * True once a minute for each key, for whoever then notes its use: a crowd of commands that comes before it is written
   * neither reads nor writes for each.
   */
  #noteIsDue(key: string): boolean {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - (this.#notedAtMs.get(key) ?? -Infinity) < noteEveryMs) return false
    this.#notedAtMs.delete(key)
    this.#notedAtMs.set(key, nowMs)
    trim(this.#notedAtMs, cachedMax)
    return true
  }

  /** A session's idle end moves along. */
  async #writeUse(row: KeyTable, from: string): Promise<void> {
    const now = this.#clock.wallMs()
    const idle = row.idle_expires_at === null ? {} : { idleExpiresAt: new Date(now + sessionIdleMs).toISOString() }
    await this.#lists.noteKeyUse({
      key: row.key,
      usedAt: new Date(now).toISOString(),
      usedFrom: from.slice(0, 64),
      ...idle,
    })
  }
}

function gone(): Problem {
  return refused('The credential is unknown, was revoked, or has expired. Sign in again or make a new key.')
}

function refused(detail: string): Problem {
  return problem('unauthenticated', detail)
}

/** Forgets what was put in first. */
function trim(map: Map<string, unknown>, max: number): void {
  for (const key of map.keys()) {
    if (map.size <= max) return
    map.delete(key)
  }
}
