import type { Actor } from '@hotline/protocol/actor'
import { type Problem, problem } from '@hotline/protocol/error'
import type { Lists } from '../log/lists.ts'
import type { AccountTable, KeyTable, RowChange } from '../log/tables.ts'
import { type Clock, timestamp } from '../machine/clock.ts'
import type { Ids } from '../machine/ids.ts'
import { sha256 } from '../machine/sha256.ts'
import { type AccessChange, type AccessDraft, type AccessLog, serverActor } from './access-log.ts'
import { keyOfName, type Place, type SignedIn, storeProblem, subjectOf, tooMany } from './accounts.ts'
import { newSession } from './browser-sessions.ts'
import { markBrowser } from './known-browser.ts'
import { takeLocalProof } from './local-proof.ts'
import type { Passwords } from './passwords.ts'
import { actorOf, type Principal } from './principal.ts'
import type { Proofs } from './proofs.ts'
import type { SecondFactors } from './second-factors.ts'
import type { SignInLimits } from './sign-in-limits.ts'
import { mintToken, parseToken, sameDigest } from './token.ts'
import { weaknessOf } from './weak-passwords.ts'

/** As long as the code of a fresh server: it is given to somebody who waits for it. */
const lifeMs = 30 * 60 * 1_000

/** What new passwords by link need of the world. */
export interface PasswordResetPorts {
  dataDir: string
  lists: Lists
  log: AccessLog
  passwords: Passwords
  limits: SignInLimits
  proofs: Proofs
  secondFactors: SecondFactors
  clock: Clock
  ids: Ids
}

/** A link's code, which is in this answer and nowhere else. */
export interface MadeReset {
  row: KeyTable
  secret: string
}

/**
 * Links with which a person who has lost their password chooses another one. One is made by an admin, or by whoever sits at
 * the server's machine, works once, for half an hour, and is a key of its own kind in the name of the person, who sees it
 * in their list. The old password holds until it is used: making a link keeps nobody out. Using it ends every session.
 */
export class PasswordResets {
  readonly #ports: PasswordResetPorts

  constructor(ports: PasswordResetPorts) {
    this.#ports = ports
  }

  /** A link for another person, by an admin of this server; one that was open before is over. */
  async make(by: Principal, account: string): Promise<MadeReset | Problem> {
    const row = await this.#ports.lists.account(account)
    if (!row) return problem('not_found', 'There is no such account.')
    return this.#make(row, {
      actor: actorOf(by),
      channel: by.channel,
      address: by.address,
      name: `new password, by ${by.name}`,
    })
  }

  /** The same by whoever can write into the data directory; with the wish, the second factor of the account ends at once. */
  async makeHere(
    { name, proof, secondFactor }: { name: string; proof: string; secondFactor: 'keep' | 'remove' },
    network: string,
  ): Promise<MadeReset | Problem> {
    const { limits, lists, dataDir, secondFactors } = this.#ports
    const taken = await limits.takeFrom(network)
    if (!taken.ok) return tooMany(taken.waitMs)
    if (!(await takeLocalProof(dataDir, proof))) {
      const detail =
        'This is done on the machine of the server, by a user who may write into its data directory: hotline reset-password.'
      return problem('wrong_credentials', detail)
    }
    const row = await lists.accountByName(keyOfName(name))
    if (!row) return problem('not_found', `There is no account called "${name}".`)
    const also = secondFactor === 'remove' ? await secondFactors.dropOf(row.account) : undefined
    return this.#make(row, { actor: serverActor, name: "new password, on the server's machine", also })
  }

  /** Takes the open link of an account back. */
  async takeBack(by: Principal, account: string): Promise<Problem | undefined> {
    const open = await this.#openOf(account)
    if (open.length === 0) return problem('not_found', 'There is no open link for this account.')
    const written = await this.#ports.log.write({
      actor: actorOf(by),
      channel: by.channel,
      address: by.address,
      events: open.map(revoked),
      rows: [dropLinks(account)],
    })
    return written.ok ? undefined : storeProblem(written)
  }

  /** Whom a code is for. Unknown, used, revoked and expired ones are answered alike. */
  async look(code: string, network: string): Promise<{ row: KeyTable; account: AccountTable } | Problem> {
    const taken = await this.#ports.limits.takeFrom(network)
    return taken.ok ? this.#find(code) : tooMany(taken.waitMs)
  }

  /** Sets the password, ends every session of the account, and signs in. Of two that come at once, one does. */
  async accept(
    code: string,
    what: { password: string; secondCode?: string | undefined; keys: 'keep' | 'revoke' },
    place: Place,
  ): Promise<SignedIn | Problem> {
    const { limits, log, lists, clock, ids, passwords, proofs, secondFactors } = this.#ports
    const taken = await limits.takeFrom(place.network)
    if (!taken.ok) return tooMany(taken.waitMs)
    const found = await this.#find(code)
    if ('code' in found) return found
    const { row: link, account: before } = found
    const { account } = before
    const weak = weaknessOf(what.password, before.name)
    if (weak !== undefined) return problem('weak_password', weak)
    const shown = await secondFactors.showCounted(account, what.secondCode)
    if (!shown.ok) return shown.problem
    const hashed = await passwords.hash(what.password)
    if (hashed === 'busy') return tooMany(1_000)
    const { token, row: session } = newSession(account, place.device, { clock, ids })
    const data = { account }
    const now = timestamp(clock)
    const ended = what.keys === 'revoke' ? (['pat', 'svc', 'inv'] as const) : []
    const written = await log.write({
      actor: { kind: 'person', id: account },
      channel: `web:${token.id}`,
      address: place.address,
      events: [
        revoked(link),
        ...shown.events,
        { type: 'account.password_changed', subject: subjectOf(account), data: { account, reset: link.key } },
        ...(what.keys === 'revoke'
          ? [{ type: 'account.signed_out', subject: subjectOf(account), data: { account, keys: what.keys } } as const]
          : []),
        { type: 'account.signed_in', subject: subjectOf(account), data: { ...data, key: token.id } },
      ],
      rows: [
        {
          table: 'accounts',
          set: { password: hashed.stored, access_version: Math.max(before.access_version + 1, clock.wallMs()) },
          // Somebody who has meanwhile changed it themselves needs no link.
          where: { account, password: before.password },
        },
        ...shown.rows,
        dropLinks(account),
        { table: 'keys', drop: { account, kind: 'ses' } },
        ...ended.map((kind): RowChange => ({
          table: 'keys',
          set: { revoked_at: now },
          where: { account, kind, revoked_at: null },
        })),
        session,
        ...(place.replaces === undefined
          ? []
          : [{ table: 'keys', drop: { key: place.replaces, kind: 'ses' } } as const]),
      ],
      // Of two that come at once, the second one finds that this was done.
      once: { what: { sender: `reset:${link.key}`, key: 'accept', hash: sha256(link.key) }, answer: {} },
    })
    if (!written.ok) {
      // Somebody took it up, or the code was used for something else meanwhile: then the link is still good.
      const isOver = written.reason === 'conflict' && 'code' in (await this.#find(code))
      return isOver ? over() : storeProblem(written)
    }
    proofs.forget(account)
    const after = await lists.account(account)
    if (after?.password !== hashed.stored || after.disabled !== 0) {
      const key = token.id
      await log.write({
        actor: serverActor,
        events: [{ type: 'key.revoked', subject: `key:${key}`, data: { key } }],
        rows: [{ table: 'keys', drop: { key } }],
      })
      return over()
    }
    proofs.note(token.id, account, proofs.changes)
    limits.noteFamiliar(before.name_key, place.network)
    return { account, session: token, mark: markBrowser(after, clock.wallMs()) }
  }

  async #make(
    { account, disabled }: AccountTable,
    by: {
      actor: Actor
      channel?: string
      address?: string | undefined
      name: string
      also?: Pick<AccessChange, 'events' | 'rows'> | undefined
    },
  ): Promise<MadeReset | Problem> {
    const { log, clock, ids } = this.#ports
    if (disabled !== 0) return problem('invalid_request', 'This account is turned off. Turn it on first.')
    const code = mintToken('rst', ids.uuid())
    const row: KeyTable = {
      key: code.id,
      kind: 'rst',
      account,
      name: by.name,
      secret_hash: code.hash,
      scopes: '[]',
      projects: null,
      created_at: timestamp(clock),
      expires_at: new Date(clock.wallMs() + lifeMs).toISOString(),
      idle_expires_at: null,
      last_used_at: null,
      last_used_from: null,
      revoked_at: null,
    }
    const { key, kind, expires_at: expiresAt } = row
    const before = await this.#openOf(account)
    const written = await log.write({
      actor: by.actor,
      channel: by.channel,
      address: by.address,
      events: [
        ...(by.also?.events ?? []),
        ...before.map(revoked),
        {
          type: 'key.created',
          subject: `key:${key}`,
          data: { key, kind, account, expiresAt, scopes: [] },
          body: { name: row.name },
        },
      ],
      rows: [...(by.also?.rows ?? []), dropLinks(account), { table: 'keys', insert: row }],
    })
    return written.ok ? { row, secret: code.text } : storeProblem(written)
  }

  async #find(code: string): Promise<{ row: KeyTable; account: AccountTable } | Problem> {
    const { lists, clock } = this.#ports
    const token = parseToken(code)
    const row = token?.kind === 'rst' ? await lists.key(token.id) : undefined
    if (!token || !row || row.kind !== 'rst' || !sameDigest(row.secret_hash, token.hash)) return over()
    if (!isOpen(row, clock) || row.account === null) return over()
    const account = await lists.account(row.account)
    return account && account.disabled === 0 ? { row, account } : over()
  }

  async #openOf(account: string): Promise<readonly KeyTable[]> {
    const keys = await this.#ports.lists.keysOf(account)
    return keys.filter((row) => row.kind === 'rst' && isOpen(row, this.#ports.clock))
  }
}

function dropLinks(account: string): RowChange {
  return { table: 'keys', drop: { account, kind: 'rst' } }
}

function revoked({ key }: KeyTable): AccessDraft {
  return { type: 'key.revoked', subject: `key:${key}`, data: { key } }
}

function isOpen(row: KeyTable, clock: Clock): boolean {
  return row.revoked_at === null && row.expires_at > timestamp(clock)
}

function over(): Problem {
  return problem('reset_over', 'This link is unknown, was used, or is older than half an hour. Ask for another one.')
}
