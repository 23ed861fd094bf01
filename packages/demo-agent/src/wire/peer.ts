import type { Journal } from '../journal.ts'
import { splitLines } from './lines.ts'
import type { Out } from './out.ts'
import { RPC_CODES, RpcError } from './rpc-error.ts'

/** A longer inbound line is refused unread. */
const MAX_LINE_BYTES = 16 * 1024 * 1024

/** With so many answers waiting for a client that does not read, no further input is taken until some are out. */
const MAX_UNSENT_ANSWERS = 256

type Id = string | number | null

/** One inbound request while it is being handled. */
export interface Call {
  /** Aborts when the client takes the request back ($/cancel_request). */
  readonly signal: AbortSignal
  /** Runs after the answer is on the wire. */
  afterAnswer(task: () => Promise<void>): void
}

/** What the other side may ask and tell, by method. */
export interface Handlers {
  readonly requests: Readonly<Record<string, (params: unknown, call: Call) => Promise<unknown>>>
  readonly notifications: Readonly<Record<string, (params: unknown) => void>>
}

/** How a request of ours may be given up. */
export interface RequestOptions {
  signal: AbortSignal
  /** withdraw: on abort send $/cancel_request and reject at once; await: only the client's answer settles it. */
  whenAborted: 'withdraw' | 'await'
}

/** The agent's end of a JSON-RPC connection over lines of JSON. */
export interface Peer {
  notify(method: string, params: unknown): Promise<void>
  /** Rejects with RpcError when the client refuses, with the signal's reason when it was withdrawn. */
  request(method: string, params: unknown, options: RequestOptions): Promise<unknown>
  /** Handles the input until it ends. Requests run side by side, notifications in order. */
  serve(input: AsyncIterable<Uint8Array>, handlers: Handlers): Promise<void>
  /** Resolves when every request that came in has its answer. */
  settled(): Promise<void>
}

interface Waiting {
  method: string
  toolCallId: string | undefined
  settle(answer: Message): void
}

interface Message {
  id?: Id
  method?: string
  params?: unknown
  result?: unknown
  error?: { code?: number; message?: string; data?: unknown }
}

/** Starts an end that writes to `out` and notes in the journal whatever comes in. */
export function openPeer(out: Out, journal: Journal): Peer {
  const waiting = new Map<Id, Waiting>()
  const inbound = new Map<Id, AbortController>()
  const handling = new Set<Promise<void>>()
  let lastId = 0
  let unsentAnswers = 0

  const send = (message: Record<string, unknown>): Promise<void> =>
    out.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)

  const answer = async (id: Id, body: { result: unknown } | { error: unknown }): Promise<void> => {
    unsentAnswers += 1
    try {
      await send({ id, ...body })
    } catch {
      // stdout is gone: nobody is left to hear the answer, and main ends on the stream's own error
    } finally {
      unsentAnswers -= 1
    }
  }

  const handleRequest = async (id: Id, method: string, params: unknown, handlers: Handlers): Promise<void> => {
    const handler = handlers.requests[method]
    if (!handler) return answer(id, { error: { code: RPC_CODES.unknownMethod, message: `unknown method ${method}` } })
    const abort = new AbortController()
    const tasks: (() => Promise<void>)[] = []
    inbound.set(id, abort)
    const body = await handler(params, { signal: abort.signal, afterAnswer: (task) => void tasks.push(task) }).then(
      (result) => ({ result: result ?? {} }),
      (error: unknown) => ({ error: errorBody(error) }),
    )
    inbound.delete(id)
    await answer(id, body)
    for (const task of tasks) await task().catch(() => undefined) // these only notify: see answer
  }

  const handleNotification = (method: string, params: unknown, handlers: Handlers): void => {
    if (method === '$/cancel_request') inbound.get(readRequestId(params))?.abort()
    else handlers.notifications[method]?.(params)
  }

  const receive = (text: string, handlers: Handlers): void => {
    const message = parseMessage(text)
    if (message === null) {
      journal.note({ unparsed: text })
      void answer(null, { error: { code: RPC_CODES.parse, message: 'not a JSON-RPC message' } })
      return
    }
    const { id, method } = message
    if (method === undefined) {
      const asked = id === undefined ? undefined : waiting.get(id)
      journal.note({ message, ...(asked && { answerTo: answeredRequest(asked) }) })
      if (id !== undefined) waiting.delete(id)
      asked?.settle(message) // an answer to nothing, or to a request taken back, is only noted
      return
    }
    journal.note({ message })
    if (id === undefined) handleNotification(method, message.params, handlers)
    else track(handleRequest(id, method, message.params, handlers))
  }

  const track = (work: Promise<void>): void => {
    handling.add(work)
    void work.finally(() => handling.delete(work))
  }

  return {
    notify: (method, params) => send({ method, params }),

    request: (method, params, { signal, whenAborted }) => {
      signal.throwIfAborted()
      lastId += 1
      const id = lastId
      return new Promise((resolve, reject) => {
        const onAbort = (): void => {
          if (whenAborted === 'await') return
          waiting.delete(id)
          send({ method: '$/cancel_request', params: { requestId: id } }).catch(() => undefined)
          reject(signal.reason)
        }
        signal.addEventListener('abort', onAbort, { once: true })
        waiting.set(id, {
          method,
          toolCallId: readToolCallId(params),
          settle: ({ result, error }) => {
            signal.removeEventListener('abort', onAbort)
            if (error) reject(new RpcError(error.code ?? RPC_CODES.internal, error.message ?? 'refused', error.data))
            else resolve(result)
          },
        })
        send({ id, method, params }).catch((error: unknown) => {
          signal.removeEventListener('abort', onAbort)
          waiting.delete(id)
          reject(error)
        })
      })
    },

    serve: async (input, handlers) => {
      for await (const line of splitLines(input, MAX_LINE_BYTES)) {
        if ('droppedBytes' in line) {
          journal.note({ unparsed: `(a line of ${line.droppedBytes} bytes)` })
          void answer(null, { error: { code: RPC_CODES.invalidRequest, message: 'the line is too long' } })
        } else if (line.text !== '') {
          receive(line.text, handlers)
        }
        if (unsentAnswers > MAX_UNSENT_ANSWERS) await out.drained()
      }
    },

    settled: async () => {
      await Promise.all(handling)
    },
  }
}

function parseMessage(text: string): Message | null {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
    return 'method' in value && typeof value.method !== 'string' ? null : value
  } catch {
    return null
  }
}

function errorBody(error: unknown): { code: number; message: string; data?: unknown } {
  if (error instanceof RpcError) {
    return { code: error.code, message: error.message, ...(error.data !== undefined && { data: error.data }) }
  }
  return { code: RPC_CODES.internal, message: error instanceof Error ? error.message : String(error) }
}

function answeredRequest({ method, toolCallId }: Waiting): { method: string; toolCallId?: string } {
  return toolCallId === undefined ? { method } : { method, toolCallId }
}

function readRequestId(params: unknown): Id {
  const { requestId } = (params ?? {}) as { requestId?: Id }
  return requestId ?? null
}

function readToolCallId(params: unknown): string | undefined {
  return (params as { toolCall?: { toolCallId?: string } } | null)?.toolCall?.toolCallId
}
