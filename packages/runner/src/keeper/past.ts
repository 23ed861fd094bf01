import { setImmediate as turn } from 'node:timers/promises'
import { Diverged, type Replay } from '../process/lasting.ts'
import type { PastInput } from './frames.ts'

/** What was said once is said again at once, but for what waits for a timer of an adapter. */
const sayAgainTimeoutMs = 15_000

/**
 * What went into a process, while its conversation is gone through once more. Its output is let through up to the point at
 * which the next thing went in; then that is expected again, or, where it was done from outside, done again. So whoever
 * reads the output comes into the state that the earlier life was in, and nothing goes in a second time.
 */
export class Past {
  readonly #inputs: PastInput[]
  readonly #failed = Promise.withResolvers<never>()
  readonly #through = Promise.withResolvers<Replay>()
  #said: () => void = () => undefined
  #isOver = false

  constructor(inputs: PastInput[]) {
    this.#inputs = inputs
    // Whoever waits for it hears of it.
    this.#failed.promise.catch(() => 'handled where it is awaited')
  }

  get failed(): Promise<never> {
    return this.#failed.promise
  }

  get isEmpty(): boolean {
    return this.#inputs.length === 0
  }

  /** How far the output may be let through now. */
  get limit(): number {
    return this.#inputs[0]?.at ?? Number.POSITIVE_INFINITY
  }

  begin(replay: Replay): void {
    this.#through.resolve(replay)
  }

  /** False where this is new, and is really to be said. */
  repeats(bytes: Buffer): boolean {
    const [next] = this.#inputs
    if (!next) return false
    if (!('data' in next)) this.#diverge(`${nameOf(bytes)} was not said at this point`)
    else {
      const before = Buffer.from(next.data, 'base64')
      if (!isSame(before, bytes)) this.#diverge(`${nameOf(bytes)} was said as ${nameOf(before)}`)
      this.#inputs.shift()
      this.#said()
    }
    return true
  }

  /** Resolves when nothing stands before the output after `fed` bytes. */
  async gate(fed: number): Promise<void> {
    for (let next = this.#inputs[0]; next && next.at <= fed; next = this.#inputs[0]) {
      if (this.#isOver) await this.#failed.promise
      if (!('data' in next)) await this.#callAgain(next.note)
      else await this.#hearAgain(next)
    }
  }

  async #callAgain(note: unknown): Promise<void> {
    const replay = await this.#through.promise
    await replay.idle()
    this.#inputs.shift()
    replay.call(note)
    await turn()
  }

  async #hearAgain(input: PastInput): Promise<void> {
    const late = setTimeout(() => this.#diverge('something was not said again'), sayAgainTimeoutMs)
    try {
      while (this.#inputs[0] === input) {
        const said = new Promise<void>((resolve) => {
          this.#said = resolve
        })
        await Promise.race([said, this.#failed.promise])
      }
    } finally {
      clearTimeout(late)
    }
  }

  #diverge(why: string): void {
    this.#isOver = true
    this.#failed.reject(new Diverged(`The conversation went another way: ${why}.`))
  }
}

/** The same bytes, or the same word of a newer runner: the same request, or the answer to the same one. */
function isSame(before: Buffer, now: Buffer): boolean {
  if (before.equals(now)) return true
  const [a, b] = [before, now].map((bytes) => nameOf(bytes))
  return a !== undefined && a === b
}

/** What kind of word it is, without what people or agents say with it. */
function nameOf(bytes: Buffer): string | undefined {
  try {
    const {
      id,
      method,
      type,
      request_id: request,
      request: asked,
      response,
      uuid,
    } = JSON.parse(bytes.toString()) as {
      [member: string]: unknown
      request?: { subtype?: unknown }
      response?: { request_id?: unknown }
    }
    return JSON.stringify([id, method, type, request, asked?.subtype, response?.request_id, uuid])
  } catch {
    return undefined
  }
}
