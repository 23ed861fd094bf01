/** Faults that an agent may make within a window before it is given up: real ones log a line or two to the wrong stream. */
const faultsMax = 100

/** Milliseconds after which earlier faults are forgotten. */
const windowMs = 60_000

/** What an agent said that could not be used. `odd` is what a newer agent may say in good faith. */
export type FaultKind = 'broken' | 'odd'

/** Counts what cannot be used, and opens when it is too much. */
export class Breaker {
  readonly #open: (note: string) => void
  readonly #held: { readonly isPast?: boolean }
  readonly #now: () => number
  readonly counts = new Map<string, number>()
  #windowStart = Number.NEGATIVE_INFINITY
  #weight = 0
  #isOpen = false

  /** `held`: whose past is not held against it once more. */
  constructor(
    open: (note: string) => void,
    held: { readonly isPast?: boolean } = {},
    now: () => number = () => performance.now(),
  ) {
    this.#open = open
    this.#held = held
    this.#now = now
  }

  /** `what` names the fault in the log, for example "line too long". */
  count(what: string, kind: FaultKind): void {
    if (this.#isOpen) return
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1)
    if (this.#held.isPast) return
    const now = this.#now()
    if (now - this.#windowStart > windowMs) {
      this.#windowStart = now
      this.#weight = 0
    }
    this.#weight += kind === 'broken' ? 1 : 0.02
    if (this.#weight <= faultsMax) return
    this.#isOpen = true
    const list = [...this.counts].map(([name, count]) => `${name} (${count})`).join(', ')
    this.#open(`The agent speaks what cannot be understood: ${list}.`)
  }
}
