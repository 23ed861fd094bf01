import { type Problem, problem } from '@hotline/protocol/error'
import type { AccountTable } from '../log/tables.ts'
import { type Clock, timestamp } from '../machine/clock.ts'
import type { Ids } from '../machine/ids.ts'
import type { AccessDraft, AccessLog } from './access-log.ts'
import { keyOfName, storeProblem, subjectOf, tooMany } from './accounts.ts'
import { type Once, onceOf } from './idempotency-key.ts'
import type { Passwords } from './passwords.ts'
import { actorOf, type Principal } from './principal.ts'
import { weaknessOf } from './weak-passwords.ts'

/** An account as others may see it. */
export type PublicAccount = Omit<AccountTable, 'password'>

/** What an account is made of. */
export interface NewAccount {
  name: string
  password: string
  admin: boolean
}

/** Makes accounts. */
export class NewAccounts {
  readonly #ports: { log: AccessLog; passwords: Passwords; clock: Clock; ids: Ids }

  constructor(ports: { log: AccessLog; passwords: Passwords; clock: Clock; ids: Ids }) {
    this.#ports = ports
  }

  /** Another person, made by an admin of this server. */
  async create(by: Principal, what: NewAccount, idempotencyKey?: string): Promise<PublicAccount | Problem> {
    const { log } = this.#ports
    const once = onceOf(by, idempotencyKey, ['account', what.name, what.admin])
    const before = await this.#madeBefore(once)
    if (before) return before
    const row = await this.rowOf(what)
    if ('code' in row) return row
    const { password: _, ...answer } = row
    const written = await log.write({
      actor: actorOf(by),
      channel: by.channel,
      address: by.address,
      events: [created(row)],
      rows: [{ table: 'accounts', insert: row }],
      once: once && { what: once, answer },
    })
    if (written.ok) return answer
    if (written.reason !== 'conflict') return storeProblem(written)
    // Where two with one key came at once, the other one has made it.
    const meanwhile = await this.#madeBefore(once)
    return meanwhile ?? problem('already_exists', 'There is an account with this name. Choose another.')
  }

  /** Whatever the password is now: an answer that depends on it would be a place to guess it. */
  async #madeBefore(once: Once | undefined): Promise<PublicAccount | Problem | undefined> {
    const earlier = await this.#ports.log.earlier(once)
    return earlier && !('code' in earlier) ? (JSON.parse(earlier.answer) as PublicAccount) : earlier
  }

  /** Row of an account that does not exist yet, its password checked and hashed. */
  async rowOf(what: NewAccount): Promise<AccountTable | Problem> {
    const { passwords, clock, ids } = this.#ports
    const weak = weaknessOf(what.password, what.name)
    if (weak !== undefined) return problem('weak_password', weak)
    const password = await passwords.hash(what.password)
    if (password === 'busy') return tooMany(1_000)
    return {
      account: ids.uuid(),
      name: what.name,
      name_key: keyOfName(what.name),
      password: password.stored,
      admin: what.admin ? 1 : 0,
      disabled: 0,
      access_version: clock.wallMs(),
      created_at: timestamp(clock),
    }
  }
}

/** The event of a new account. */
export function created(row: AccountTable): AccessDraft {
  return {
    type: 'account.created',
    subject: subjectOf(row.account),
    data: { account: row.account, admin: row.admin !== 0 },
    body: { name: row.name },
  }
}
