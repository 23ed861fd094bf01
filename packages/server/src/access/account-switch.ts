import { type Problem, problem } from '@hotline/protocol/error'
import type { Lists } from '../log/lists.ts'
import type { AccountTable, RowChange } from '../log/tables.ts'
import { type Clock, timestamp } from '../machine/clock.ts'
import type { AccessLog } from './access-log.ts'
import { storeProblem, subjectOf } from './accounts.ts'
import type { Owners } from './owners.ts'
import { actorOf, type Principal } from './principal.ts'

/** What turning accounts off and on needs of the world. */
export interface AccountSwitchPorts {
  lists: Lists
  log: AccessLog
  clock: Clock
  owners: Owners
}

/** What is to happen to projects whose only owner is disabled: `accept` leaves them without one for the time being. */
export type Orphans = 'refuse' | 'accept'

/**
 * Turns accounts off and on. Turning off ends every browser session and revokes every key, for good: who is turned on
 * again signs in again. A server keeps an admin who can sign in.
 */
export class AccountSwitch {
  readonly #ports: AccountSwitchPorts

  constructor(ports: AccountSwitchPorts) {
    this.#ports = ports
  }

  disable(by: Principal, account: string, orphans: Orphans): Promise<AccountTable | Problem> {
    return this.#inTurn(async () => {
      const row = await this.#ports.lists.account(account)
      if (!row) return nobody()
      if (row.disabled !== 0) return row
      return (await this.#lastOwner(row, orphans)) ?? (await this.#turn(by, row, 1))
    })
  }

  enable(by: Principal, account: string): Promise<AccountTable | Problem> {
    return this.#inTurn(async () => {
      const row = await this.#ports.lists.account(account)
      if (!row) return nobody()
      return row.disabled === 0 ? row : this.#turn(by, row, 0)
    })
  }

  /** One at a time: of two admins who turn each other off at the same moment, one stays. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const leave = await this.#ports.owners.turn()
    try {
      return await work()
    } finally {
      leave()
    }
  }

  async #lastOwner(row: AccountTable, orphans: Orphans): Promise<Problem | undefined> {
    const { lists, owners } = this.#ports
    if (row.admin !== 0) {
      const all = await lists.accounts()
      if (!all.some((other) => other.account !== row.account && other.admin !== 0 && other.disabled === 0)) {
        return problem('last_owner', 'This is the last admin of the server who can sign in. Make another one first.')
      }
    }
    if (orphans === 'accept') return undefined
    const projects: string[] = []
    for (const { project, role } of await lists.projectsOf(row.account)) {
      if (role !== 'owner') continue
      if (await owners.isLast(project, row.account)) projects.push(project)
    }
    if (projects.length === 0) return undefined
    const detail =
      'This account is the only owner of a project. Make somebody else an owner first, or send "orphans": "accept".'
    return problem('last_owner', detail, { projects })
  }

  async #turn(by: Principal, row: AccountTable, disabled: 0 | 1): Promise<AccountTable | Problem> {
    const { clock, log } = this.#ports
    const { account } = row
    const changed = { disabled, access_version: Math.max(row.access_version + 1, clock.wallMs()) }
    const now = timestamp(clock)
    // In both directions: a key that was being made while the account was turned off does not wake up with it.
    const ended = (['pat', 'svc'] as const).map((kind): RowChange => ({
      table: 'keys',
      set: { revoked_at: now },
      where: { account, kind, revoked_at: null },
    }))
    const written = await log.write({
      actor: actorOf(by),
      channel: by.channel,
      address: by.address,
      events: [
        {
          type: disabled === 0 ? 'account.enabled' : 'account.disabled',
          subject: subjectOf(account),
          data: { account },
        },
      ],
      rows: [
        { table: 'accounts', set: changed, where: { account } },
        { table: 'keys', drop: { account, kind: 'ses' } },
        { table: 'keys', drop: { account, kind: 'rst' } },
        ...ended,
      ],
    })
    return written.ok ? { ...row, ...changed } : storeProblem(written)
  }
}

function nobody(): Problem {
  return problem('not_found', 'There is no such account.')
}
