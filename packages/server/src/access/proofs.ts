import { type Problem, problem } from '@hotline/protocol/error'
import type { Clock } from '../machine/clock.ts'
import type { Principal } from './principal.ts'

/** For so long after a password was said, its credential may do what asks for that. */
const freshMs = 5 * 60 * 1_000
/** Proofs in memory; the oldest goes, and its person says the password once more. */
const keptMax = 10_000

/**
 * When the person behind a credential last said their password: a session that was left open, or a token that leaked,
 * makes no keys and lets nobody in. In memory: after a restart people say it again.
 */
export class Proofs {
  readonly #clock: Clock
  readonly #said = new Map<string, { atMs: number; account: string }>()
  #changes = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many passwords were changed so far: one that was compared before a change may be an old one. */
  get changes(): number {
    return this.#changes
  }

  /** The password was right, for this credential; `changes` is from before the row was read that it was compared with. */
  note(key: string, account: string, changes: number): void {
    if (changes !== this.#changes) return
    this.#said.delete(key)
    this.#said.set(key, { atMs: this.#clock.monotonicMs(), account })
    for (const oldest of this.#said.keys()) {
      if (this.#said.size <= keptMax) return
      this.#said.delete(oldest)
    }
  }

  /** The password of an account is another one now: that somebody knew the one before proves nothing. */
  forget(account: string): void {
    this.#changes += 1
    for (const [key, said] of this.#said) if (said.account === account) this.#said.delete(key)
  }

  /** Why this principal may not do now what needs the password; undefined where it may. */
  missing(principal: Principal): Problem | undefined {
    if (principal.kind === 'system') return undefined
    if (principal.kind !== 'person') return problem('forbidden', 'Only a person can do this: it takes their password.')
    const said = this.#said.get(principal.key)
    if (said && this.#clock.monotonicMs() - said.atMs < freshMs) return undefined
    const detail =
      'This needs your password, said within the last five minutes. Confirm it (POST /api/auth/confirm) and try again.'
    return problem('password_needed', detail)
  }
}
