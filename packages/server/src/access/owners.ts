import type { Lists } from '../log/lists.ts'
import { Turns } from '../machine/turns.ts'

/**
 * Owners who can sign in. Whatever may take one away, a command to a project or the switch of an account, has its turn
 * alone: of two owners who go at the same moment, one stays.
 */
export class Owners {
  readonly #lists: Lists
  readonly #turns = new Turns()

  constructor(lists: Lists) {
    this.#lists = lists
  }

  /** Waits for everybody before; the answer ends the turn. */
  turn(): Promise<() => void> {
    return this.#turns.take()
  }

  /** True where this account is the only owner of the project who can sign in. */
  async isLast(project: string, account: string): Promise<boolean> {
    const [accounts, members] = await Promise.all([this.#lists.accounts(), this.#lists.members(project)])
    const active = new Set(accounts.filter(({ disabled }) => disabled === 0).map((row) => row.account))
    const owners = members.filter((member) => member.role === 'owner' && active.has(member.account))
    return owners.length === 1 && owners[0]?.account === account
  }
}
