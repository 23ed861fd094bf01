import type { Role } from '@hotline/protocol/actor'
import { type Problem, problem } from '@hotline/protocol/error'
import type { Lists } from '../log/lists.ts'
import type { AccountTable, KeyTable } from '../log/tables.ts'
import { type Clock, timestamp } from '../machine/clock.ts'
import type { Ids } from '../machine/ids.ts'
import type { AccessLog } from './access-log.ts'
import { keyOfName, type Place, type SignedIn, storeProblem, subjectOf, tooMany } from './accounts.ts'
import { newSession } from './browser-sessions.ts'
import { markBrowser } from './known-browser.ts'
import { created, type NewAccounts } from './new-accounts.ts'
import { actorOf, type Principal } from './principal.ts'
import type { Proofs } from './proofs.ts'
import type { SignInLimits } from './sign-in-limits.ts'
import { mintToken, parseToken, sameDigest } from './token.ts'

const lifeMs = 7 * 24 * 60 * 60 * 1_000
/** Invitations of one admin that are open. */
const openMax = 50

/** Makes an account a member of a project, in the name of who invited it. Done twice, it is done once. */
export type JoinProject = (
  by: Principal,
  what: { id: string; project: string; account: string; role: Role },
) => Promise<Problem | undefined>

/** What invitations need of the world. */
export interface InvitationPorts {
  lists: Lists
  log: AccessLog
  newAccounts: NewAccounts
  limits: SignInLimits
  proofs: Proofs
  clock: Clock
  ids: Ids
  joinProject: JoinProject
}

/** Who is invited, to what, and by whom. */
export interface OpenInvitation {
  row: KeyTable
  inviter: AccountTable
  project: { project: string; name: string }
  role: Role
}

/**
 * Links with which one person makes their own account, and becomes a member of a project. An invitation is a key of its
 * own kind: it works once, for a week, and no longer than whoever made it is an admin of this server. Its id becomes the
 * account's, so that being a member can come before the account: what a crash leaves is mended by accepting again.
 */
export class Invitations {
  readonly #ports: InvitationPorts

  constructor(ports: InvitationPorts) {
    this.#ports = ports
  }

  /** A new invitation; its code is in the answer and nowhere else. */
  async invite(
    by: Principal,
    what: { name: string; project: string; role: Role },
  ): Promise<{ row: KeyTable; secret: string } | Problem> {
    const { lists, log, clock, ids } = this.#ports
    const refusal = await this.#refusal(by, what)
    if (refusal) return refusal
    const code = mintToken('inv', ids.uuid())
    const row: KeyTable = {
      key: code.id,
      kind: 'inv',
      account: by.id,
      name: what.name,
      secret_hash: code.hash,
      scopes: JSON.stringify([what.role]),
      projects: JSON.stringify([what.project]),
      created_at: timestamp(clock),
      expires_at: new Date(clock.wallMs() + lifeMs).toISOString(),
      idle_expires_at: null,
      last_used_at: null,
      last_used_from: null,
      revoked_at: null,
    }
    const open = (await lists.keysOf(by.id)).filter((one) => one.kind === 'inv' && isOpen(one, clock))
    if (open.length >= openMax) {
      return problem('queue_full', `There are ${openMax} open invitations. Revoke those that nobody takes.`, {
        limit: openMax,
      })
    }
    const { key, kind, expires_at: expiresAt } = row
    const data = { key, kind, account: by.id, expiresAt, scopes: [what.role], projects: [what.project] }
    const written = await log.write({
      actor: actorOf(by),
      channel: by.channel,
      address: by.address,
      events: [{ type: 'key.created', subject: `key:${key}`, data, body: { name: row.name } }],
      rows: [{ table: 'keys', insert: row }],
    })
    return written.ok ? { row, secret: code.text } : storeProblem(written)
  }

  /** What a code stands for. Unknown, used, revoked and expired ones are answered alike. */
  async look(code: string, network: string): Promise<OpenInvitation | Problem> {
    const taken = await this.#ports.limits.takeFrom(network)
    return taken.ok ? this.#find(code) : tooMany(taken.waitMs)
  }

  /** Makes the account and signs it in. Of two that come at once, one does. */
  async accept(code: string, password: string, place: Place): Promise<SignedIn | Problem> {
    const { limits, log, clock, ids, proofs, newAccounts, joinProject } = this.#ports
    const taken = await limits.takeFrom(place.network)
    if (!taken.ok) return tooMany(taken.waitMs)
    const found = await this.#find(code)
    if ('code' in found) return found
    const { row: invitation, project, role } = found
    const made = await newAccounts.rowOf({ name: invitation.name, password, admin: false })
    if ('code' in made) return made
    const account: AccountTable = { ...made, account: invitation.key }
    const host = hostOf(found)
    // They said their password when they invited.
    proofs.note(host.key, host.id, proofs.changes)
    const joined = await joinProject(host, {
      id: invitation.key,
      project: project.project,
      account: account.account,
      role,
    })
    if (joined) return joined.status >= 500 ? joined : over()
    const { token, row: session } = newSession(account.account, place.device, { clock, ids })
    const written = await log.write({
      actor: { kind: 'person', id: account.account },
      channel: `web:${token.id}`,
      address: place.address,
      events: [
        created(account),
        { type: 'key.revoked', subject: `key:${invitation.key}`, data: { key: invitation.key } },
        {
          type: 'account.signed_in',
          subject: subjectOf(account.account),
          data: { account: account.account, key: token.id },
        },
      ],
      rows: [
        { table: 'accounts', insert: account },
        { table: 'keys', set: { revoked_at: timestamp(clock) }, where: { key: invitation.key } },
        session,
        ...(place.replaces === undefined
          ? []
          : [{ table: 'keys', drop: { key: place.replaces, kind: 'ses' } } as const]),
      ],
    })
    if (!written.ok) return written.reason === 'conflict' ? over() : storeProblem(written)
    proofs.note(token.id, account.account, proofs.changes)
    return { account: account.account, session: token, mark: markBrowser(account, clock.wallMs()) }
  }

  async #refusal(by: Principal, what: { name: string; project: string; role: Role }): Promise<Problem | undefined> {
    const { lists } = this.#ports
    if (by.kind !== 'person') return problem('forbidden', 'Only a person invites others.')
    const role = await lists.roleOf(what.project, by.id)
    if (role === undefined) return problem('not_found', 'You are not a member of this project.')
    if (role !== 'owner' && (role !== 'admin' || what.role === 'owner')) {
      return problem('forbidden', 'Your role on this project does not allow that.', { role })
    }
    if ((await lists.accountByName(keyOfName(what.name))) === undefined) return undefined
    return problem('already_exists', 'There is an account with this name. Choose another.')
  }

  async #find(code: string): Promise<OpenInvitation | Problem> {
    const { lists, clock } = this.#ports
    const token = parseToken(code)
    const row = token?.kind === 'inv' ? await lists.key(token.id) : undefined
    if (!token || !row || row.kind !== 'inv' || !sameDigest(row.secret_hash, token.hash)) return over()
    if (!isOpen(row, clock) || row.account === null) return over()
    const inviter = await lists.account(row.account)
    const [id = ''] = JSON.parse(row.projects ?? '[]') as string[]
    const [role] = JSON.parse(row.scopes) as Role[]
    const project = await lists.project(id)
    if (!inviter || inviter.disabled !== 0 || inviter.admin === 0 || !project || role === undefined) return over()
    return { row, inviter, project, role }
  }
}

/** Whoever invited, as far as it takes to let one person into one project. */
function hostOf({ row, inviter, project }: OpenInvitation): Principal {
  return {
    kind: 'person',
    id: inviter.account,
    name: inviter.name,
    account: inviter.account,
    key: row.key,
    admin: false,
    scopes: ['admin', 'own'],
    projects: [project.project],
    accessVersion: inviter.access_version,
    channel: `invitation:${row.key}`,
  }
}

function isOpen(row: KeyTable, clock: Clock): boolean {
  return row.revoked_at === null && row.expires_at > timestamp(clock)
}

function over(): Problem {
  return problem('invitation_over', 'This invitation is unknown, was used, or is too old. Ask for another one.')
}
