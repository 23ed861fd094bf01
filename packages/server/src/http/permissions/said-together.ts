import type { Clock } from '../../machine/clock.ts'

/** So long a message waits for others; when it has passed, they go. */
const gatherMs = 2
/** With so many they go at once. */
const messagesMax = 50
/** With so many characters of JSON too. */
const charsMax = 128 * 1024

/** A message as it goes out by itself. */
export interface SaidMessage {
  type: string
  seq: number
  timestamp: string
}

/**
 * What is said to a client that takes several messages in one frame: in their order, one alone as it is, more as
 * `permission-batch`, which has the `seq` and the time of its last one.
 */
export class SaidTogether {
  readonly #write: (message: object) => void
  readonly #clock: Clock
  #waiting: SaidMessage[] = []
  #chars = 0
  #cancel: (() => void) | undefined

  constructor(write: (message: object) => void, clock: Clock) {
    this.#write = write
    this.#clock = clock
  }

  add(message: SaidMessage): void {
    const chars = JSON.stringify(message).length
    if (this.#chars + chars > charsMax) this.flush()
    this.#waiting.push(message)
    this.#chars += chars
    if (this.#waiting.length >= messagesMax) this.flush()
    else this.#cancel ??= this.#clock.after(gatherMs, () => this.flush())
  }

  flush(): void {
    const messages = this.#waiting
    this.drop()
    const last = messages.at(-1)
    if (!last) return
    const { seq, timestamp } = last
    this.#write(messages.length === 1 ? last : { type: 'permission-batch', seq, timestamp, messages })
  }

  /** Nobody is there any more. */
  drop(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#waiting = []
    this.#chars = 0
  }
}
