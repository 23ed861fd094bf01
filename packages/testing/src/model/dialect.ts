import type { Answer, ModelCall } from './conversation.ts'

/** One interface of a model provider: how a call is read, and how an answer is written. */
export interface Dialect {
  name: 'anthropic' | 'chat' | 'responses' | 'gemini'
  /** What the path ends with, without the query. */
  path: RegExp
  /** `url`: path and query, for those that put the model or the wish for a stream there. */
  read(body: Record<string, unknown>, url: string): ModelCall
  /** The parts of a stream, in order. */
  stream(answer: Answer, call: ModelCall): readonly string[]
  /** The same in one piece. */
  whole(answer: Answer, call: ModelCall): unknown
  /** A refusal with an HTTP status. */
  refusal(status: number): unknown
}

/** A list of objects where there is one. */
export function objects(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter((part) => typeof part === 'object' && part !== null) : []
}

/** An object where there is one. */
export function object(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

/** The text of a content that is a string, or a list of parts some of which have text. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  return objects(content)
    .map(({ text }) => (typeof text === 'string' ? text : ''))
    .join('\n')
}

/** An event of a stream. */
export function sse(data: unknown, event?: string): string {
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`
}
