/** One thing that a question asks for: a property of its JSON Schema, as far as a form can hold it. */
export interface Field {
  name: string
  title: string
  description?: string | undefined
  isRequired: boolean
  /** What the agent proposes, as it says it. */
  initial?: unknown
  form: FieldForm
}

/** `json`: what no form can hold; it is given as JSON. Bounds are inclusive. */
export type FieldForm =
  | { kind: 'text'; min?: number | undefined; max?: number | undefined }
  | { kind: 'number'; isWhole: boolean; min?: number | undefined; max?: number | undefined }
  | { kind: 'yes_or_no' }
  | { kind: 'choice'; choices: readonly Choice[] }
  | { kind: 'choices'; choices: readonly Choice[]; min?: number | undefined; max?: number | undefined }
  | { kind: 'json' }

/** What may be chosen: `title` is read, `value` is sent. */
export interface Choice {
  value: string | number
  title: string
}

/**
 * What a question asks for. Agents describe it in JSON Schema, flat, as MCP's elicitation has it: text, numbers, yes or no,
 * one or several of a list (`enum`, or `oneOf`/`anyOf` of constants with titles). A pattern is left to the agent: running
 * one that somebody else wrote can take for ever.
 */
export function formOf(schema: unknown): readonly Field[] {
  const properties = objectOf(objectOf(schema)?.['properties'])
  const required = objectOf(schema)?.['required']
  return Object.entries(properties ?? {}).map(([name, value]) => {
    const property = objectOf(value) ?? {}
    return {
      name,
      title: textOf(property['title']) ?? name,
      description: textOf(property['description']),
      isRequired: Array.isArray(required) && required.includes(name),
      initial: property['default'],
      form: fieldFormOf(property),
    }
  })
}

function fieldFormOf(property: Readonly<Record<string, unknown>>): FieldForm {
  const choices = choicesOf(property)
  if (choices) return { kind: 'choice', choices }
  switch (property['type'] ?? 'string') {
    case 'string':
      return { kind: 'text', min: numberOf(property['minLength']), max: numberOf(property['maxLength']) }
    case 'number':
    case 'integer': {
      const isWhole = property['type'] === 'integer'
      return { kind: 'number', isWhole, min: numberOf(property['minimum']), max: numberOf(property['maximum']) }
    }
    case 'boolean':
      return { kind: 'yes_or_no' }
    case 'array': {
      const each = choicesOf(objectOf(property['items']) ?? {})
      if (!each) return { kind: 'json' }
      return {
        kind: 'choices',
        choices: each,
        min: numberOf(property['minItems']),
        max: numberOf(property['maxItems']),
      }
    }
    default:
      return { kind: 'json' }
  }
}

function choicesOf(property: Readonly<Record<string, unknown>>): readonly Choice[] | undefined {
  const { enum: values, enumNames, oneOf, anyOf } = property
  const constants = Array.isArray(oneOf) ? oneOf : Array.isArray(anyOf) ? anyOf : undefined
  const all: (Choice | undefined)[] | undefined = Array.isArray(values)
    ? values.map((value, index) => choiceOf(value, Array.isArray(enumNames) ? enumNames[index] : undefined))
    : constants?.map((one) => choiceOf(objectOf(one)?.['const'], objectOf(one)?.['title']))
  if (!all || all.length === 0) return undefined
  const whole = all.filter((choice) => choice !== undefined)
  // What is of no use as a list is given as what it is.
  return whole.length === all.length ? whole : undefined
}

function choiceOf(value: unknown, title: unknown): Choice | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined
  return { value, title: textOf(title) ?? String(value) }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
