import { hash, verify } from '@node-rs/argon2'

/** What one password costs to check; argon2id. */
export interface PasswordCost {
  memoryKiB: number
  passes: number
}

/** 19 MiB and two passes: about 70 ms of one core. */
export const defaultPasswordCost: PasswordCost = { memoryKiB: 19 * 1024, passes: 2 }

/** Passwords that are hashed at the same time; more would take the threads that files and names are read with. */
const atOnceMax = 2
/** Passwords that may wait for that; further ones are told to come back. */
const waitingMax = 32

/** Hashes and checks passwords, a few at a time. `busy` where too many wait already. */
export class Passwords {
  readonly #options: { memoryCost: number; timeCost: number; parallelism: number }
  readonly #counted: () => void
  readonly #waiting: (() => void)[] = []
  #running = 0
  /** What an unknown name is checked against, so that it costs the same. */
  #nobody: Promise<string> | undefined

  constructor(cost: PasswordCost, counted: () => void) {
    this.#options = { memoryCost: cost.memoryKiB, timeCost: cost.passes, parallelism: 1 }
    this.#counted = counted
  }

  /** A PHC string to be stored. */
  hash(password: string): Promise<{ stored: string } | 'busy'> {
    return this.#inTurn(async () => ({ stored: await hash(password, this.#options) }))
  }

  /** Compares with what is stored; with nothing stored it takes as long and answers `wrong`. */
  async check(stored: string | undefined, password: string): Promise<'right' | 'wrong' | 'busy'> {
    const nobody = await (this.#nobody ??= hash('nobody has this password', this.#options))
    const outcome = await this.#inTurn(() => verify(stored ?? nobody, password))
    if (outcome === 'busy') return 'busy'
    return outcome && stored !== undefined ? 'right' : 'wrong'
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T | 'busy'> {
    if (this.#running >= atOnceMax) {
      if (this.#waiting.length >= waitingMax) return 'busy'
      await new Promise<void>((resume) => this.#waiting.push(resume))
    } else this.#running += 1
    this.#counted()
    try {
      return await work()
    } finally {
      // The place goes to the next in line without becoming free in between.
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running -= 1
    }
  }
}
