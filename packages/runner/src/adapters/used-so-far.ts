import type { Usage } from '@hotline/core/session/state'
import type { StartSpec } from './adapter.ts'

/**
 * What the whole session used so far, out of what its agent tells: some tell what a turn took, some what they counted until
 * now, and of these some count anew in each process and some go on where they had been.
 */
export class UsedSoFar {
  readonly #input: Counter
  readonly #output: Counter
  #cost: Counter
  #currency: string | undefined

  /** `resume`: the agent takes the session up again, so that what it counts may hold what was used before. */
  constructor({ usedBefore = {}, resume }: Pick<StartSpec, 'usedBefore' | 'resume'>) {
    const mayGoOn = resume !== undefined
    this.#currency = usedBefore.cost?.currency
    this.#input = new Counter(usedBefore.inputTokens ?? 0, mayGoOn)
    this.#output = new Counter(usedBefore.outputTokens ?? 0, mayGoOn)
    this.#cost = new Counter(usedBefore.cost?.amount ?? 0, mayGoOn)
  }

  /** A turn took so many tokens. */
  turn({ inputTokens = 0, outputTokens = 0 }: Usage): Usage {
    return { inputTokens: this.#input.add(inputTokens), outputTokens: this.#output.add(outputTokens) }
  }

  /** The agent has counted so many tokens by now. */
  tokens({ inputTokens = 0, outputTokens = 0 }: Usage): Usage {
    return { inputTokens: this.#input.read(inputTokens), outputTokens: this.#output.read(outputTokens) }
  }

  /** The agent has counted so much by now. What was paid in another currency cannot be added to it. */
  cost(told: NonNullable<Usage['cost']>): NonNullable<Usage['cost']> {
    if (this.#currency !== undefined && this.#currency !== told.currency) this.#cost = new Counter(0, false)
    this.#currency = told.currency
    return { amount: this.#cost.read(told.amount), currency: told.currency }
  }
}

/** One number that only grows, whatever the agent that counts it does. */
class Counter {
  readonly #before: number
  readonly #mayGoOn: boolean
  /** What is not in what the agent counts now. */
  #base: number
  #last: number | undefined

  constructor(before: number, mayGoOn: boolean) {
    this.#before = before
    this.#base = before
    this.#mayGoOn = mayGoOn
  }

  add(amount: number): number {
    this.#base += amount
    return this.#base + (this.#last ?? 0)
  }

  read(value: number): number {
    if (this.#last === undefined && this.#mayGoOn && value >= this.#before) this.#base -= this.#before
    // It began anew.
    else if (this.#last !== undefined && value < this.#last) this.#base += this.#last
    this.#last = value
    return this.#base + value
  }
}
