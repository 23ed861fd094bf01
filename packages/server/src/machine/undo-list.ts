/** What was opened, to be closed in the opposite order; a small `AsyncDisposableStack`, which Node has from 24 on only. */
export class UndoList implements AsyncDisposable {
  readonly #steps: (() => void | PromiseLike<void>)[] = []

  /** Remembers to dispose of it, and gives it back. */
  use<T extends Disposable | AsyncDisposable>(opened: T): T {
    this.#steps.push(() => (Symbol.asyncDispose in opened ? opened[Symbol.asyncDispose]() : opened[Symbol.dispose]()))
    return opened
  }

  defer(step: () => void): void {
    this.#steps.push(step)
  }

  /** Runs every step, also after one has failed; the first failure is thrown at the end. */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: unknown[] = []
    for (const step of this.#steps.splice(0).toReversed()) {
      try {
        await step()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}
