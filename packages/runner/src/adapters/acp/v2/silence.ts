/** What a watch of silence works with. */
export interface SilencePorts {
  /** So long nothing is to have come. */
  afterMs: number
  /** True while the agent owes a word: its turn goes on, and neither a person nor a tool of its own is waited for. */
  isDue: () => boolean
  /** It has been silent for so long. */
  silent: () => void
}

/**
 * Notices an agent that has said nothing for long although its turn is not over. In version 2 of ACP the end of a turn is a
 * word of its own, and one that is lost leaves the turn open for ever. From outside that looks like an agent that thinks:
 * so it is noticed, once for each silence, and nothing is concluded from it.
 */
export class Silence implements Disposable {
  readonly #ports: SilencePorts
  #timer: NodeJS.Timeout | undefined
  #stirredAt = 0

  constructor(ports: SilencePorts) {
    this.#ports = ports
  }

  /** Something came, or was said to it: whatever silence there was is over. */
  stir(): void {
    this.#stirredAt = performance.now()
    // An agent that says much does not set a timer with each word: the one that is set looks again.
    if (this.#timer === undefined && this.#ports.isDue()) this.#wait(this.#ports.afterMs)
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }

  #wait(ms: number): void {
    this.#timer = setTimeout(() => this.#look(), ms)
    this.#timer.unref()
  }

  #look(): void {
    this.#timer = undefined
    const { afterMs, isDue, silent } = this.#ports
    if (!isDue()) return
    const leftMs = afterMs - (performance.now() - this.#stirredAt)
    if (leftMs > 0) this.#wait(Math.ceil(leftMs))
    else silent()
  }
}
