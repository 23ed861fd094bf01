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
  readonly #saidAtMs = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The password was right, for this credential. */
  note(key: string): void {
    this.#saidAtMs.delete(key)
    this.#saidAtMs.set(key, this.#clock.monotonicMs())
    for (const oldest of this.#saidAtMs.keys()) {
      if (this.#saidAtMs.size <= keptMax) return
      this.#saidAtMs.delete(oldest)
    }
  }

  /** Why this principal may not do now what needs the password; undefined where it may. */
  missing(principal: Principal): Problem | undefined {
    if (principal.kind === 'system') return undefined
    if (principal.kind !== 'person') return problem('forbidden', 'Only a person can do this: it takes their password.')
    const saidAtMs = this.#saidAtMs.get(principal.key)
    if (saidAtMs !== undefined && this.#clock.monotonicMs() - saidAtMs < freshMs) return undefined
    const detail =
      'This needs your password, said within the last five minutes. Confirm it (POST /api/auth/confirm) and try again.'
    return problem('password_needed', detail)
  }
}
