/** One after the other: whoever takes a turn waits for everybody before. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  /** Waits for everybody before; the answer ends the turn. */
  async take(): Promise<() => void> {
    const mine = Promise.withResolvers<void>()
    const before = this.#last
    this.#last = mine.promise
    await before
    return mine.resolve
  }
}
