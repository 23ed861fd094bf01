import type { Breaker } from '../wire/breaker.ts'
import { ControlResponse } from './schema.ts'

/** A refusal of the agent, or an end of the connection before its answer. */
export class ControlFailure extends Error {
  /** True where the agent ended before it answered. */
  readonly isGone: boolean

  constructor(message: string, isGone: 'gone' | 'refused') {
    super(message)
    this.name = 'ControlFailure'
    this.isGone = isGone === 'gone'
  }
}

const errorChars = 2_000

/**
 * Requests of both sides about the conversation itself. Ids of ours are ours alone and belong to this run; what else comes
 * back is our own answers, which the agent repeats.
 */
export class Control {
  readonly #send: (message: Record<string, unknown>) => void
  readonly #breaker: Breaker
  readonly #prefix: string
  readonly #waiting = new Map<string, { resolve: (value: unknown) => void; reject: (error: ControlFailure) => void }>()
  #lastId = 0
  #closed = false

  /** `prefix`: of the ids of our requests. */
  constructor(send: (message: Record<string, unknown>) => void, breaker: Breaker, prefix: string) {
    this.#prefix = prefix
    this.#send = send
    this.#breaker = breaker
  }

  /** Rejects with a ControlFailure. */
  request(request: Record<string, unknown> & { subtype: string }): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new ControlFailure('The agent has ended.', 'gone'))
      this.#lastId += 1
      const id = `${this.#prefix}:${this.#lastId}`
      this.#waiting.set(id, { resolve, reject })
      this.#send({ type: 'control_request', request_id: id, request })
    })
  }

  respond(id: string, response: Record<string, unknown>): void {
    if (this.#closed) return
    this.#send({ type: 'control_response', response: { subtype: 'success', request_id: id, response } })
  }

  refuse(id: string, error: string): void {
    if (this.#closed) return
    this.#send({ type: 'control_response', response: { subtype: 'error', request_id: id, error } })
  }

  /** Takes a line of the type `control_response`. */
  settle(line: unknown): void {
    const parsed = ControlResponse.safeParse(line)
    if (!parsed.success) return this.#breaker.count('answer that cannot be read', 'broken')
    const { subtype, request_id: id, response, error } = parsed.data.response
    const waiting = this.#waiting.get(id)
    if (!waiting) {
      if (id.startsWith(this.#prefix)) this.#breaker.count('answer to nothing', 'broken')
      return
    }
    this.#waiting.delete(id)
    if (subtype === 'success') waiting.resolve(response)
    else {
      const why = (error ?? 'The agent refused without a reason.').slice(0, errorChars)
      waiting.reject(new ControlFailure(why, 'refused'))
    }
  }

  /** Nothing more will come. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { reject } of waiting) reject(new ControlFailure('The agent has ended.', 'gone'))
  }
}
