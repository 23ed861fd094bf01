import type { QuestionAnswer } from '../adapter.ts'
import type { Elicitation, Question } from './schema.ts'

/** Ending of the field in which a person writes what is not in the list. */
const other = ' (other)'

/** A question as people are asked it. */
export interface AskedQuestion {
  text: string
  schema?: Record<string, unknown> | undefined
  /** The answer of the wire. */
  answer: (answer: QuestionAnswer) => unknown
}

/** Questions of the agent's own. Undefined where one asks for a secret: what is answered here can be read in the log. */
export function userInput(questions: readonly Question[]): AskedQuestion | undefined {
  if (questions.some(({ isSecret }) => isSecret)) return undefined
  const properties: [string, unknown][] = []
  const required: string[] = []
  for (const { id, header, question, isOther, options } of questions) {
    const choices = options ?? []
    const title = header === '' ? question : header
    if (choices.length === 0) {
      properties.push([id, { type: 'string', title, description: question }])
      required.push(id)
      continue
    }
    const oneOf = choices.map(({ label, description }) => ({
      const: label,
      title: description === '' ? label : `${label}: ${description}`,
    }))
    properties.push([id, { type: 'string', title, description: question, oneOf }])
    if (isOther) properties.push([`${id}${other}`, { type: 'string', title: `${title}: something else` }])
    else required.push(id)
  }
  return {
    text: questions.map(({ question, header }) => (question === '' ? header : question)).join('\n'),
    schema: { type: 'object', properties: Object.fromEntries(properties), required },
    answer: (answer) => ({ answers: answer.action === 'accept' ? answersOf(questions, answer.content) : {} }),
  }
}

/** A question of an MCP server. Undefined where it wants something that no form here can hold. */
export function elicitation({
  mode,
  serverName,
  message,
  requestedSchema,
  url,
}: Elicitation): AskedQuestion | undefined {
  const answer = (given: QuestionAnswer): unknown =>
    given.action === 'accept'
      ? { action: 'accept', content: mode === 'url' ? null : (given.content ?? {}), _meta: null }
      : { action: given.action, content: null, _meta: null }
  const from = serverName === '' ? '' : ` (${serverName})`
  if (mode === 'url') {
    return typeof url === 'string' ? { text: `${message}${from}\n${url}`, answer } : undefined
  }
  if (mode !== 'form' && mode !== 'openai/form' && mode !== 'openaiForm') return undefined
  const schema = objectOf(requestedSchema)
  if (!schema || !objectOf(schema['properties'])) return undefined
  return { text: `${message}${from}`, schema, answer }
}

/** What nobody can be asked. */
export const declinedElicitation = { action: 'decline', content: null, _meta: null }

function answersOf(questions: readonly Question[], content: unknown): Record<string, { answers: string[] }> {
  const given = objectOf(content) ?? {}
  const answers = questions.map(({ id }) => [id, { answers: [given[id], given[`${id}${other}`]].flatMap(textOf) }])
  return Object.fromEntries(answers) as Record<string, { answers: string[] }>
}

function textOf(value: unknown): string[] {
  if (value === undefined || value === null || value === '') return []
  return [typeof value === 'string' ? value : JSON.stringify(value)]
}

function objectOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}
