import { readScript, type Step } from './script.ts'

/** A tool that an agent offers to the model. */
export interface OfferedTool {
  name: string
  /** JSON Schema of its input; a `custom` tool takes free text instead. */
  schema: Record<string, unknown>
  kind: 'function' | 'custom'
  /** Of the Responses interface: a group that the tool stands in. */
  namespace?: string
}

/** What is in a conversation, oldest first. `answer`: which answer of ours a call came with, where its id tells. */
export type Item = { by: 'agent'; answer?: string | undefined } | { by: 'user'; text: string } | { by: 'tool' }

/** A call of the model, in the words of no interface. */
export interface ModelCall {
  model: string
  stream: boolean
  items: readonly Item[]
  tools: readonly OfferedTool[]
  /** The answer must be JSON of this shape. */
  shape?: Record<string, unknown> | undefined
}

/** A tool call of an answer. */
interface AnsweredCall {
  tool: OfferedTool
  input: unknown
}

/** What is answered, in the words of no interface. `id` is in every id of it. */
export interface Answer {
  id: string
  think: string | undefined
  pieces: readonly string[]
  calls: readonly AnsweredCall[]
}

/** Every answer says that it used these many tokens. */
export const usedTokens: { in: number; out: number } = { in: 120, out: 30 }

/** Ids of tool calls carry the id of their answer, so that its calls stay together however an agent orders them. */
export function callId(prefix: string, answer: string, index: number): string {
  return `${prefix}${answer}x${index}`
}

/** The answer that an id of a tool call belongs to; undefined where it is none of ours. */
export function answerOf(id: unknown): string | undefined {
  return typeof id === 'string' ? /([0-9a-f]{12})x\d+/.exec(id)?.[1] : undefined
}

/** Which step of which script answers the call; undefined where no script is in the conversation. */
export function stepOf(items: readonly Item[]): { key: string; index: number; step: Step } | undefined {
  const last = items.findLastIndex((item) => item.by === 'user' && readScript(item.text) !== undefined)
  const holder = items[last]
  if (holder?.by !== 'user') return undefined
  const script = readScript(holder.text)
  if (!script) return undefined
  const index = countAnswers(items.slice(last + 1))
  return { key: `${index} ${script.key}`, index, step: script.steps[index] ?? {} }
}

function countAnswers(items: readonly Item[]): number {
  const seen = new Set<string>()
  let count = 0
  let inside = false
  for (const item of items) {
    if (item.by !== 'agent') {
      inside = false
      continue
    }
    const known = item.answer !== undefined && seen.has(item.answer)
    if (!inside && !known) count += 1
    if (item.answer !== undefined) seen.add(item.answer)
    inside = true
  }
  return count
}

/** The last words of the person. */
export function lastWords(items: readonly Item[]): string {
  const last = items.findLast((item) => item.by === 'user')
  return last?.by === 'user' ? last.text : ''
}
