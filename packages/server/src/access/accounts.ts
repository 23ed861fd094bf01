import { type Problem, problem } from '@hotline/protocol/error'
import type { AppendRefusal } from '../log/log-store.ts'
import type { Lists } from '../log/lists.ts'
import type { AccountTable, RowChange } from '../log/tables.ts'
import type { Clock } from '../machine/clock.ts'
import { networkOf } from '../machine/network-of.ts'
import type { Ids } from '../machine/ids.ts'
import { type AccessDraft, type AccessLog, serverActor } from './access-log.ts'
import { dropOldSessions, newSession } from './browser-sessions.ts'
import { type KnownBrowser, markBrowser, readMark } from './known-browser.ts'
import type { Passwords } from './passwords.ts'
import type { Proofs } from './proofs.ts'
import { actorOf, type Principal } from './principal.ts'
import type { SecondFactors, Shown } from './second-factors.ts'
import type { Bucket, Origin, SignInLimits, Taken } from './sign-in-limits.ts'
import type { Token } from './token.ts'
import { weaknessOf } from './weak-passwords.ts'

/** What accounts need of the world. */
export interface AccountPorts {
  lists: Lists
  log: AccessLog
  passwords: Passwords
  limits: SignInLimits
  proofs: Proofs
  secondFactors: SecondFactors
  clock: Clock
  ids: Ids
  /** Work that nobody waits for; ends before the server does. */
  background: (work: Promise<unknown>) => void
  /** `unfinished`: the right password, and no code of the second factor yet. */
  signedIn: (outcome: 'right' | 'wrong' | 'limited' | 'unfinished') => void
}

/** A browser that has just proved who it is: the cookie's new content. */
export interface SignedIn {
  account: string
  session: Token
  /** What the browser keeps, also after signing out, to be known the next time. */
  mark: string
}

/** Where a request came from, for limits and for the row. */
export interface Place {
  /** The address, or the /64 of an IPv6 address. */
  network: string
  /** The address itself; absent where only the network is known. */
  address?: string | undefined
  /** What the browser says that it is, for the list of where one is signed in. */
  device?: string | undefined
  /** What the browser kept from an earlier sign-in, as it came. */
  mark?: string | undefined
  /** Key of the session that the browser had before; it is not kept. */
  replaces?: string | undefined
}

/** People: sign in and out, passwords, new accounts. Every change is a line in the audit with its rows. */
export class Accounts {
  readonly #ports: AccountPorts

  constructor(ports: AccountPorts) {
    this.#ports = ports
  }

  /**
   * A new session for the right name and password, and for the code of the second factor where there is one. Unknown names
   * cost and answer the same as wrong passwords; a wrong code counts as a wrong password does.
   */
  async signIn(
    { name, password, code }: { name: string; password: string; code?: string | undefined },
    place: Place,
  ): Promise<SignedIn | Problem> {
    const { limits, passwords, proofs, secondFactors } = this.#ports
    const { changes } = proofs
    const nameKey = keyOfName(name)
    const { account, browser, taken } = await this.#takeTry(nameKey, place)
    if (!taken.ok) {
      this.#ports.signedIn('limited')
      return tooMany(taken.waitMs)
    }
    const { bucket } = taken
    const usable = account?.disabled === 0 ? account : undefined
    const outcome = await passwords.check(usable?.password, password)
    if (outcome === 'busy') return tooMany(1_000)
    if (outcome === 'wrong' || !usable) {
      this.#ports.signedIn('wrong')
      // Not awaited: the line about the lock would tell by its time that the name exists.
      this.#ports.background(this.#noteFailure(bucket, usable))
      return wrongCredentials()
    }
    const shown = await secondFactors.show(usable.account, code)
    if (!shown.ok) {
      this.#ports.signedIn(shown.isWrong ? 'wrong' : 'unfinished')
      if (shown.isWrong) this.#ports.background(this.#noteFailure(bucket, usable))
      return shown.problem
    }
    await limits.succeeded(nameKey, bucket, place.network)
    this.#ports.signedIn('right')
    return this.#open(usable, { changes, shown }, { ...place, browser })
  }

  /** Ends one browser session. */
  async signOut(principal: Principal): Promise<Problem | undefined> {
    const written = await this.#ports.log.write({
      actor: actorOf(principal),
      channel: principal.channel,
      address: principal.address,
      events: [revoked(principal.key)],
      rows: [{ table: 'keys', drop: { key: principal.key } }],
    })
    return written.ok ? undefined : storeProblem(written)
  }

  /** A new password ends every browser session of the account; the one that asked gets a new id. */
  async changePassword(principal: Principal, current: string, next: string, place: Place): Promise<SignedIn | Problem> {
    const { passwords, clock, log, proofs } = this.#ports
    const account = await this.#accountOf(principal)
    if ('code' in account) return account
    const weak = weaknessOf(next, account.name)
    if (weak !== undefined) return problem('weak_password', weak)
    const wrong = await this.#checkCurrent(account, current, place)
    if (wrong) return wrong
    const password = await passwords.hash(next)
    if (password === 'busy') return tooMany(1_000)
    const { token, row } = newSession(account.account, place.device, this.#ports)
    const version = Math.max(account.access_version + 1, clock.wallMs())
    const written = await log.write({
      actor: actorOf(principal),
      channel: principal.channel,
      address: principal.address,
      events: [
        { type: 'account.password_changed', subject: subjectOf(account.account), data: { account: account.account } },
      ],
      rows: [
        {
          table: 'accounts',
          set: { password: password.stored, access_version: version },
          // Two changes at once: the second one finds another password and changes nothing.
          where: { account: account.account, password: account.password },
        },
        { table: 'keys', drop: { account: account.account, kind: 'ses' } },
        // Who knows it needs no link for another one.
        { table: 'keys', drop: { account: account.account, kind: 'rst' } },
        row,
      ],
    })
    if (!written.ok) return storeProblem(written)
    proofs.forget(account.account)
    proofs.note(token.id, account.account, proofs.changes)
    const mark = markBrowser({ ...account, password: password.stored }, clock.wallMs())
    return { account: account.account, session: token, mark }
  }

  /** Says the password again, so that the credential may do for a while what needs that. */
  async confirm(principal: Principal, password: string, place: Place): Promise<Problem | undefined> {
    const { proofs } = this.#ports
    const { changes } = proofs
    const account = await this.#accountOf(principal)
    if ('code' in account) return account
    const wrong = await this.#checkCurrent(account, password, place)
    if (wrong) return wrong
    proofs.note(principal.key, account.account, changes)
    return undefined
  }

  async #open(
    checked: AccountTable,
    { changes, shown }: { changes: number; shown: Shown & { ok: true } },
    place: Place & { browser: KnownBrowser | undefined },
  ): Promise<SignedIn | Problem> {
    const { log, lists, clock } = this.#ports
    const { account } = checked
    const { device, replaces: replaced } = place
    const { token, row } = newSession(account, device, this.#ports)
    const written = await log.write({
      actor: { kind: 'person', id: account },
      channel: `web:${token.id}`,
      address: place.address,
      events: [
        { type: 'account.signed_in', subject: subjectOf(account), data: { account, key: token.id } },
        ...shown.events,
        ...(replaced === undefined ? [] : [revoked(replaced)]),
      ],
      rows: [
        ...shown.rows,
        ...(await dropOldSessions(account, { lists, clock, replaced })),
        ...dropReplaced(replaced),
        row,
      ],
    })
    if (!written.ok) return storeProblem(written)
    // A password that was changed after this one was compared has ended the sessions that were there by then, and not this.
    const now = await lists.account(account)
    if (now?.password !== checked.password || now.disabled !== 0) {
      const change = { events: [revoked(token.id)], rows: dropReplaced(token.id) }
      await log.write({ actor: serverActor, ...change })
      return wrongCredentials()
    }
    this.#ports.proofs.note(token.id, account, changes)
    return { account, session: token, mark: markBrowser(checked, clock.wallMs(), place.browser) }
  }

  async #accountOf(principal: Principal): Promise<AccountTable | Problem> {
    if (principal.kind !== 'person') return problem('forbidden', 'Only a person has a password.')
    const account = await this.#ports.lists.account(principal.id)
    return account ?? problem('unauthenticated', 'The account is gone.')
  }

  /** Counted like a try to sign in: a session that was left open must not be a place to guess. */
  async #checkCurrent(account: AccountTable, password: string, place: Place): Promise<Problem | undefined> {
    const { limits, passwords } = this.#ports
    const { taken } = await this.#takeTry(account.name_key, place, account)
    if (!taken.ok) return tooMany(taken.waitMs)
    const outcome = await passwords.check(account.password, password)
    if (outcome === 'busy') return tooMany(1_000)
    if (outcome === 'wrong') {
      this.#ports.background(this.#noteFailure(taken.bucket, account))
      return problem('wrong_credentials', 'The current password is wrong.')
    }
    await limits.succeeded(account.name_key, taken.bucket, place.network)
    return undefined
  }

  /** One try for a name, counted by where it comes from; with it the account, where there is one and it was looked for. */
  async #takeTry(
    nameKey: string,
    { network, mark }: Place,
    known?: AccountTable,
  ): Promise<{ account: AccountTable | undefined; browser: KnownBrowser | undefined; taken: Taken }> {
    const { limits, lists, clock } = this.#ports
    let account = known
    if (mark !== undefined) {
      account ??= await lists.accountByName(nameKey)
      const browser = readMark(mark, account, clock.wallMs())
      if (browser) {
        const taken = await limits.takeOf(nameKey, network, { from: 'browser', id: browser.id })
        return { account, browser, taken }
      }
    }
    const taken = await limits.take(nameKey, network, async () => {
      account ??= await lists.accountByName(nameKey)
      return this.#originOf(nameKey, account, network)
    })
    return { account, browser: undefined, taken }
  }

  /** Its credentials are looked through for an unknown name too: that there are none must not be told by the time. */
  async #originOf(nameKey: string, account: AccountTable | undefined, network: string): Promise<Origin> {
    const keys = await this.#ports.lists.keysOf(account?.account ?? 'nobody')
    const isKnown = keys.some(
      ({ kind, revoked_at, last_used_from }) =>
        (kind === 'ses' || kind === 'pat') &&
        revoked_at === null &&
        last_used_from !== null &&
        networkOf(last_used_from) === network,
    )
    return { from: isKnown || this.#ports.limits.isFamiliar(nameKey, network) ? 'known' : 'strange' }
  }

  async #noteFailure(bucket: Bucket, account: AccountTable | undefined): Promise<void> {
    const { limits, log, clock } = this.#ports
    const locked = await limits.failed(bucket)
    if (!locked || !account) return
    const until = new Date(clock.wallMs() + locked.lockedMs).toISOString()
    await log.write({
      actor: serverActor,
      events: [
        { type: 'account.locked', subject: subjectOf(account.account), data: { account: account.account, until } },
      ],
      rows: [],
    })
  }
}

/** Names are compared without regard to case. */
export function keyOfName(name: string): string {
  return name.toLowerCase()
}

/** The subject of events about an account. */
export function subjectOf(account: string): string {
  return `account:${account}`
}

/** What a change that could not be written means for the one who asked. */
export function storeProblem(refusal: AppendRefusal): Problem {
  const isUnknown = refusal.reason === 'unavailable' && refusal.outcome === 'unknown'
  const detail =
    refusal.reason === 'conflict'
      ? 'Somebody changed the same thing at the same time. Nothing was changed here; try again.'
      : isUnknown
        ? 'The log failed while this was written, and may hold it. See whether it was done before you try again.'
        : 'The log cannot be written now; nothing was changed. Try again in a moment.'
  return problem('storage_unavailable', detail, { retryAfterMs: 1_000 })
}

/** The refusal of whoever has to wait before the next try. */
export function tooMany(waitMs: number): Problem {
  const seconds = Math.ceil(waitMs / 1_000)
  return problem('rate_limited', `Too many tries. Wait ${seconds} s and try again.`, {
    retryAfterMs: Math.ceil(waitMs),
  })
}

function wrongCredentials(): Problem {
  return problem('wrong_credentials', 'There is no account with this name and password.')
}

function revoked(key: string): AccessDraft {
  return { type: 'key.revoked', subject: `key:${key}`, data: { key } }
}

/** The session that a browser brought along may be another account's. */
function dropReplaced(replaced: string | undefined): readonly RowChange[] {
  return replaced === undefined ? [] : [{ table: 'keys', drop: { key: replaced, kind: 'ses' } }]
}
