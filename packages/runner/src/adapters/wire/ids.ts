import { randomUUID } from 'node:crypto'
import { uuidOf } from '../../uuid-of.ts'

/**
 * Ids of what an agent brings about: each is made of the place in its output at which that happens, so that whoever goes
 * through the same output again gives the same names.
 */
export class Ids {
  readonly #seed: string
  #at = 0
  #count = 0

  /** `seed`: of this run of the agent, and not to be guessed. */
  constructor(seed: string = randomUUID()) {
    this.#seed = seed
  }

  /** What comes now was said up to this byte. */
  moveTo(at: number): void {
    this.#at = at
    this.#count = 0
  }

  next = (): string => {
    this.#count += 1
    return uuidOf(`${this.#seed} ${this.#at} ${this.#count}`)
  }
}
