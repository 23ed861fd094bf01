import { limits } from '@hotline/protocol/limits'
import type { Breaker } from './breaker.ts'
import { parseObject } from './json.ts'

/** The id of a request, as the side that asked chose it. */
export type RpcId = string | number

/** How a request of ours ended. */
export type RpcOutcome = { ok: true; result: unknown } | { ok: false; code: number; message: string; data?: unknown }

/** What an agent asks and tells. Everything is called in the order of the wire, and never waits. */
export interface PeerHandlers {
  /** Answers false where the method is not known here. */
  request(id: RpcId, method: string, params: unknown): boolean
  notification(method: string, params: unknown): boolean
}

/** A refusal of the agent, or an end of the connection before its answer. */
export class RpcFailure extends Error {
  readonly code: number
  readonly data: unknown

  constructor(code: number, message: string, data?: unknown) {
    super(message)
    this.name = 'RpcFailure'
    this.code = code
    this.data = data
  }
}

/** Code of a request whose answer can no longer come. Not on the wire. */
export const connectionClosed = -1

const methodNotFound = -32_601

/** Ids that we send back stay small. */
const idCharsMax = 200

/**
 * Our side of JSON-RPC over lines. Ids of requests are ours alone and belong to this peer, so an answer that we did not
 * ask for, or a second one, changes nothing.
 */
export class Peer {
  readonly #send: (line: string) => void
  readonly #handlers: PeerHandlers
  readonly #breaker: Breaker
  readonly #prefix: string
  readonly #waiting = new Map<string, { method: string; settle: (outcome: RpcOutcome) => void }>()
  #lastId = 0
  #received = 0
  #closed = false

  /** `prefix`: of the ids of our requests. */
  constructor(send: (line: string) => void, handlers: PeerHandlers, breaker: Breaker, prefix: string) {
    this.#prefix = prefix
    this.#send = send
    this.#handlers = handlers
    this.#breaker = breaker
  }

  /** Lines that were handled so far. */
  get received(): number {
    return this.#received
  }

  /** Sends a request; `settle` is called once, in the order of the wire. */
  call(method: string, params: unknown, settle: (outcome: RpcOutcome) => void): void {
    if (this.#closed) return settle({ ok: false, code: connectionClosed, message: 'The agent has ended.' })
    this.#lastId += 1
    const id = `${this.#prefix}:${this.#lastId}`
    this.#waiting.set(id, { method, settle })
    this.#write({ id, method, params })
  }

  /** The same as a promise. Rejects with an RpcFailure. */
  request(method: string, params: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.call(method, params, (outcome) => {
        if (outcome.ok) resolve(outcome.result)
        else reject(new RpcFailure(outcome.code, outcome.message, outcome.data))
      })
    })
  }

  notify(method: string, params: unknown): void {
    this.#write({ method, params })
  }

  respond(id: RpcId, result: unknown): void {
    this.#write({ id, result })
  }

  refuse(id: RpcId, code: number, message: string): void {
    this.#write({ id, error: { code, message } })
  }

  /** Handles one line of the agent. */
  receive(line: string): void {
    this.#received += 1
    const message = parseObject(line, limits.jsonDepth)
    if (!message) return this.#breaker.count('not a JSON object', 'broken')
    const { id, method, params } = message
    if (typeof method !== 'string') return this.#settle(message)
    if (id === undefined) {
      if (!this.#handlers.notification(method, params)) this.#breaker.count('unknown notification', 'odd')
    } else if (!isId(id)) {
      this.#breaker.count('request with an impossible id', 'broken')
    } else if (!this.#handlers.request(id, method, params)) {
      this.#breaker.count('unknown request', 'odd')
      this.refuse(id, methodNotFound, `This client does not know "${method.slice(0, idCharsMax)}".`)
    }
  }

  /** Nothing more will come. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { settle } of waiting) {
      settle({ ok: false, code: connectionClosed, message: 'The agent has ended.' })
    }
  }

  #settle(message: Record<string, unknown>): void {
    const id = message['id']
    const waiting = typeof id === 'string' ? this.#waiting.get(id) : undefined
    if (!waiting || typeof id !== 'string') return this.#breaker.count('answer to nothing', 'broken')
    this.#waiting.delete(id)
    const error = message['error']
    if (error === undefined || error === null) return waiting.settle({ ok: true, result: message['result'] })
    const { code, message: text, data } = error as { code?: unknown; message?: unknown; data?: unknown }
    waiting.settle({
      ok: false,
      code: typeof code === 'number' ? code : 0,
      message: typeof text === 'string' ? text.slice(0, 2_000) : 'The agent refused without a reason.',
      data,
    })
  }

  #write(message: Record<string, unknown>): void {
    if (!this.#closed) this.#send(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  }
}

function isId(id: unknown): id is RpcId {
  return typeof id === 'number' ? Number.isFinite(id) : typeof id === 'string' && id.length <= idCharsMax
}
