import type { Control } from './control.ts'
import type { Turns } from './turns.ts'

/** A turn that does not say within this that it began is interrupted all the same. */
const beginTimeoutMs = 3_000

/** An agent that has not come to rest within this is told again; whoever waits for it has a limit of their own. */
const againMs = 5_000

/**
 * Stops turns. What is said before a turn is really under way has no effect on it (so in 2.1.329), so it waits for that; and
 * it is said again as long as the turn goes on, because it may get lost between two calls of the model.
 */
export class Interrupter {
  readonly #control: Pick<Control, 'request'>
  readonly #turns: Turns
  #timer: NodeJS.Timeout | undefined

  constructor(control: Pick<Control, 'request'>, turns: Turns) {
    this.#control = control
    this.#turns = turns
  }

  interrupt(): void {
    this.#turns.cancel()
    if (this.#turns.isUnderWay || !this.#turns.isBusy) this.#say()
    else this.#later(beginTimeoutMs)
  }

  /** The turn is under way now. */
  underWay(): void {
    if (this.#turns.isCancelling) this.#say()
  }

  /** There is nothing to stop any more. */
  done(): void {
    clearTimeout(this.#timer)
  }

  #say(): void {
    this.#control.request({ subtype: 'interrupt' }).catch(() => {
      // Refused or gone: the turn's end, its time-out or the agent's exit says so.
    })
    if (this.#turns.current !== undefined) this.#later(againMs)
  }

  #later(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#say(), ms)
  }
}
