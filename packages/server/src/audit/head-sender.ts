import type { Clock } from '../machine/clock.ts'
import type { SignedHead } from './signed-head.ts'

/** Sends heads somewhere; rejects where they did not arrive. */
export type SendHeads = (heads: readonly SignedHead[], signal: AbortSignal) => Promise<void>

const firstPauseMs = 1_000
const longestPauseMs = 5 * 60_000
/** Whoever takes no heads in this time is asked again later. */
const sendTimeoutMs = 10_000
/** The server goes down and waits no longer; what is not sent then is signed anew at the next start. */
const lastTimeoutMs = 2_000

/**
 * Sends what is signed to one place, again and again with growing pauses where that fails. Nobody waits for it, and no more is
 * kept than the newest head of each stream: it proves what the ones before it would.
 */
export class HeadSender implements AsyncDisposable {
  readonly #send: SendHeads
  readonly #clock: Clock
  readonly #fault: (error: unknown) => void
  readonly #waiting = new Map<string, SignedHead>()
  #sending: Promise<void> | undefined
  #cancelPause: (() => void) | undefined
  #pauseMs = firstPauseMs
  #closed = false

  constructor(send: SendHeads, { clock, fault }: { clock: Clock; fault: (error: unknown) => void }) {
    this.#send = send
    this.#clock = clock
    this.#fault = fault
  }

  add(head: SignedHead): void {
    this.#waiting.set(head.stream, head)
    if (this.#cancelPause === undefined && !this.#closed) this.#begin()
  }

  /** One last try for what waits. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#cancelPause?.()
    await this.#sending
    if (this.#waiting.size > 0) await this.#try(lastTimeoutMs)
  }

  #begin(): void {
    this.#sending ??= this.#try(sendTimeoutMs).then((arrived) => {
      this.#sending = undefined
      if (this.#closed || this.#waiting.size === 0) return
      if (arrived) this.#begin()
      else this.#pause()
    })
  }

  #pause(): void {
    this.#cancelPause = this.#clock.after(this.#pauseMs, () => {
      this.#cancelPause = undefined
      this.#begin()
    })
    this.#pauseMs = Math.min(2 * this.#pauseMs, longestPauseMs)
  }

  async #try(timeoutMs: number): Promise<boolean> {
    const heads = [...this.#waiting.values()]
    this.#waiting.clear()
    try {
      await this.#send(heads, AbortSignal.timeout(timeoutMs))
      this.#pauseMs = firstPauseMs
      return true
    } catch (error) {
      for (const head of heads) if (!this.#waiting.has(head.stream)) this.#waiting.set(head.stream, head)
      this.#fault(error)
      return false
    }
  }
}
