import type { Questions } from './schema.ts'

/** Names of the fields of one question: what is chosen, and what is said in other words. */
const choiceOf = (index: number): string => `answer_${index + 1}`
const wordsOf = (index: number): string => `other_${index + 1}`

/** What a person reads above the form. */
export function questionText({ questions }: Questions): string {
  const [only] = questions
  if (only && questions.length === 1) return only.question
  return questions.map(({ question }, index) => `${index + 1}. ${question}`).join('\n')
}

/** The questions as a form: for each one what may be chosen, and a line for what is not among it. */
export function questionForm({ questions }: Questions): Record<string, unknown> {
  const properties: Record<string, unknown> = {}
  for (const [index, { question, header, multiSelect, options }] of questions.entries()) {
    const title = header || question
    // The one question stands above the form already.
    const about = questions.length > 1 ? { description: question } : {}
    if (options.length === 0) {
      properties[wordsOf(index)] = { type: 'string', title, ...about }
      continue
    }
    const choices = options.map(({ label, description }) => ({
      const: label,
      title: description ? `${label}: ${description}` : label,
    }))
    properties[choiceOf(index)] =
      multiSelect === true
        ? { type: 'array', title, ...about, items: { anyOf: choices } }
        : { type: 'string', title, ...about, oneOf: choices }
    properties[wordsOf(index)] = { type: 'string', title: `${title}, in other words` }
  }
  return { type: 'object', properties }
}

/** The answers by question, as the agent takes them. A question that was left out is not among them. */
export function answersOf({ questions }: Questions, content: unknown): Record<string, string> {
  const given = (typeof content === 'object' && content !== null ? content : {}) as Record<string, unknown>
  const answers: [string, string][] = []
  for (const [index, { question }] of questions.entries()) {
    const chosen = given[choiceOf(index)]
    const words = given[wordsOf(index)]
    const parts = [...(Array.isArray(chosen) ? chosen : [chosen]), words].filter(
      (part): part is string => typeof part === 'string' && part.trim() !== '',
    )
    if (parts.length > 0) answers.push([question, parts.join(', ')])
  }
  // A question is whatever the agent says, `__proto__` too.
  return Object.fromEntries(answers)
}
