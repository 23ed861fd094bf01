import type { Choice, Field, FieldForm } from './form.ts'

/** What was typed as an answer, as the content that its agent gets, or what is wrong with it in a sentence. */
export type Answer = { ok: true; content: Record<string, unknown> } | { ok: false; why: string }

/** An answer that was typed: the texts of fields by their names. What was left out is no part of it. */
export function answerOf(fields: readonly Field[], texts: ReadonlyMap<string, string>): Answer {
  const content: [string, unknown][] = []
  for (const [name, text] of texts) {
    const field = fields.find((one) => one.name === name)
    if (!field) return { ok: false, why: unknownField(fields, name) }
    const value = valueOf(field.form, text)
    if (value === undefined) return { ok: false, why: `"${name}" must be ${wordsOf(field.form)}, not "${text}".` }
    content.push([name, value])
  }
  // A name is whatever the agent says, `__proto__` too.
  return checkAnswer(fields, Object.fromEntries(content))
}

/** The same for content that is there already, as a program gives it. */
export function checkAnswer(fields: readonly Field[], content: Record<string, unknown>): Answer {
  for (const [name, value] of Object.entries(content)) {
    const field = fields.find((one) => one.name === name)
    if (!field) return { ok: false, why: unknownField(fields, name) }
    if (!fits(field.form, value))
      return { ok: false, why: `"${name}" must be ${wordsOf(field.form)}, not ${JSON.stringify(value)}.` }
  }
  const missing = fields.filter(({ name, isRequired }) => isRequired && !Object.hasOwn(content, name))
  if (missing.length > 0)
    return { ok: false, why: `It needs ${missing.map(({ name }) => `"${name}"`).join(', ')} too.` }
  return { ok: true, content }
}

/** What a field takes, for people. */
export function wordsOf(form: FieldForm): string {
  switch (form.kind) {
    case 'text':
      return `text${range(form, ' of ', form.max === 1 ? ' character' : ' characters')}`
    case 'number':
      return `${form.isWhole ? 'a whole number' : 'a number'}${range(form, ' from ', '')}`
    case 'yes_or_no':
      return 'yes or no'
    case 'choice':
      return `one of ${listOf(form.choices)}`
    case 'choices':
      return `some of ${listOf(form.choices)}, with commas between them${range(form, '; ', ' of them')}`
    case 'json':
      return 'JSON'
  }
}

function listOf(choices: readonly Choice[]): string {
  return choices
    .map(({ value, title }, index) => `${index + 1} ${value}${title === String(value) ? '' : ` (${title})`}`)
    .join(', ')
}

function range(
  { min, max }: { min?: number | undefined; max?: number | undefined },
  before: string,
  after: string,
): string {
  if (min === undefined && max === undefined) return ''
  if (min === undefined) return `${before}at most ${max}${after}`
  if (max === undefined) return `${before}at least ${min}${after}`
  return `${before}${min} to ${max}${after}`
}

function unknownField(fields: readonly Field[], name: string): string {
  const known = fields.map((field) => `"${field.name}"`).join(', ')
  return `It does not ask for "${name}"${known === '' ? '.' : `, but for ${known}.`}`
}

function valueOf(form: FieldForm, text: string): unknown {
  switch (form.kind) {
    case 'text':
      return text
    case 'number':
      return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : undefined
    case 'yes_or_no':
      if (/^(y|yes|true)$/i.test(text.trim())) return true
      return /^(n|no|false)$/i.test(text.trim()) ? false : undefined
    case 'choice':
      return chosen(form.choices, text)
    case 'choices': {
      if (text.trim() === '') return []
      const values = text.split(',').map((one) => chosen(form.choices, one.trim()))
      return values.includes(undefined) ? undefined : [...new Set(values)]
    }
    case 'json':
      try {
        return JSON.parse(text) as unknown
      } catch {
        return undefined
      }
  }
}

/** By its value or name as it is written, in another case where only one fits, or by its number in the list. */
function chosen(choices: readonly Choice[], text: string): string | number | undefined {
  const names = ({ value, title }: Choice): string[] => [String(value), title]
  const exact = choices.find((choice) => names(choice).includes(text))
  if (exact) return exact.value
  const similar = choices.filter((choice) => names(choice).some((name) => name.toLowerCase() === text.toLowerCase()))
  if (similar.length === 1) return similar[0]?.value
  return /^[1-9][0-9]*$/.test(text) ? choices[Number(text) - 1]?.value : undefined
}

function fits(form: FieldForm, value: unknown): boolean {
  switch (form.kind) {
    case 'text':
      return typeof value === 'string' && inRange(form, Array.from(value).length)
    case 'number':
      return (
        typeof value === 'number' &&
        Number.isFinite(value) &&
        (!form.isWhole || Number.isSafeInteger(value)) &&
        inRange(form, value)
      )
    case 'yes_or_no':
      return typeof value === 'boolean'
    case 'choice':
      return form.choices.some((choice) => choice.value === value)
    case 'choices':
      return (
        Array.isArray(value) &&
        value.every((one) => form.choices.some((choice) => choice.value === one)) &&
        inRange(form, value.length)
      )
    case 'json':
      return value !== undefined
  }
}

function inRange({ min, max }: { min?: number | undefined; max?: number | undefined }, value: number): boolean {
  return (min === undefined || value >= min) && (max === undefined || value <= max)
}
