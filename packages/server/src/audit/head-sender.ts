import type { Clock } from '../machine/clock.ts'
import type { Posted } from '../machine/post-webhook.ts'
import type { KeyChange } from './key-change.ts'
import type { SignedHead } from './signed-head.ts'

/** What is kept elsewhere: where a stream stands, and which key signs from now on. */
export type HeadLine = SignedHead | KeyChange

/** Sends them somewhere; what is not taken is sent again, also where whoever refused it says that it would for good. */
export type SendHeads = (lines: readonly HeadLine[], signal: AbortSignal) => Promise<Posted>

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
  readonly #waiting = new Map<string, HeadLine>()
  #sending: Promise<void> | undefined
  #cancelPause: (() => void) | undefined
  #pauseMs = firstPauseMs
  /** How long whoever takes them asked us to wait. */
  #wantedMs = 0
  #closed = false

  constructor(send: SendHeads, { clock, fault }: { clock: Clock; fault: (error: unknown) => void }) {
    this.#send = send
    this.#clock = clock
    this.#fault = fault
  }

  add(line: HeadLine): void {
    this.#waiting.set(nameOf(line), line)
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
    this.#cancelPause = this.#clock.after(Math.max(this.#pauseMs, this.#wantedMs), () => {
      this.#cancelPause = undefined
      this.#begin()
    })
    this.#pauseMs = Math.min(2 * this.#pauseMs, longestPauseMs)
  }

  async #try(timeoutMs: number): Promise<boolean> {
    const lines = [...this.#waiting.values()]
    this.#waiting.clear()
    const posted = await this.#post(lines, timeoutMs)
    if (posted === 'taken') {
      this.#pauseMs = firstPauseMs
      this.#wantedMs = 0
      return true
    }
    this.#wantedMs = posted.retryAfterMs ?? 0
    for (const line of lines) if (!this.#waiting.has(nameOf(line))) this.#waiting.set(nameOf(line), line)
    this.#fault(new Error(`signed heads of the log were not taken: ${posted.why}`))
    return false
  }

  async #post(lines: readonly HeadLine[], timeoutMs: number): Promise<Posted> {
    try {
      return await this.#send(lines, AbortSignal.timeout(timeoutMs))
    } catch (error) {
      return { failed: 'for now', why: error instanceof Error ? error.message : String(error) }
    }
  }
}

/** Of what a later one takes the place of an earlier one. */
function nameOf(line: HeadLine): string {
  return 'stream' in line ? line.stream : line.key
}
