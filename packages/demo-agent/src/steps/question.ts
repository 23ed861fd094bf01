import { z } from 'zod'
import type { Step } from '../script.ts'
import type { Turn } from '../turn.ts'
import { RpcError } from '../wire/rpc-error.ts'
import { appendRecord } from './files.ts'

/** A `question` step. */
export type Question = Extract<Step, { do: 'question' }>

/** The answer in one line of text, or null when the person declined or dismissed it. */
export type Answer = string | null

const elicitationResponse = z.looseObject({
  action: z.string(),
  content: z.record(z.string(), z.unknown()).nullish(),
})

/** Shows the question as a form and waits for the answer. Throws the turn's abort reason when cancelled. */
export async function askByForm(turn: Turn, question: Question): Promise<Answer> {
  const { session, peer, signal } = turn
  const { message, schema } = question
  const params = { mode: 'form', sessionId: session.id, message, requestedSchema: { type: 'object', ...schema } }
  try {
    const answer = await peer.request('elicitation/create', params, { signal, whenAborted: 'withdraw' })
    const { action, content } = elicitationResponse.parse(answer)
    await recordAnswer(turn, question, { action, content: content ?? null })
    return action === 'accept' ? toText(content ?? {}) : null
  } catch (error) {
    if (!(error instanceof RpcError) || signal.aborted) throw error
    await recordAnswer(turn, question, { action: 'refused', content: null })
    return null
  }
}

/** The question as a message, with the choices that its schema offers. */
export function questionText({ message, schema }: Question): string {
  const choices = Object.values((schema.properties ?? {}) as Record<string, unknown>).flatMap(choicesOf)
  const list = choices.map((choice) => `\n- ${choice}`).join('')
  return `${message}${list}\n\nPlease answer with your next message.`
}

function choicesOf(property: unknown): string[] {
  const { enum: names, oneOf } = (property ?? {}) as { enum?: unknown; oneOf?: unknown }
  if (Array.isArray(names)) return names.map(String)
  if (!Array.isArray(oneOf)) return []
  return oneOf.map((option) => (option as { title?: string } | null)?.title ?? '')
}

/** Notes an answer where the question asks for it. */
export async function recordAnswer(
  turn: Turn,
  question: Question,
  answer: { action: string; content: unknown },
): Promise<void> {
  if (question.record === undefined) return
  await appendRecord(turn, question.record, { at: new Date().toISOString(), message: question.message, ...answer })
}

function toText(content: Record<string, unknown>): string {
  const values = Object.values(content)
  return values.length === 1 && typeof values[0] === 'string' ? values[0] : JSON.stringify(content)
}
