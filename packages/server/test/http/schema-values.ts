import type { SeededRandom } from '@hotline/testing/seed'
import { sample, stringMatching } from 'fast-check'

/** A JSON Schema, as far as the documents of the API use it. */
export interface Schema {
  $ref?: string
  type?: string | readonly string[]
  const?: unknown
  enum?: readonly unknown[]
  anyOf?: readonly Schema[]
  oneOf?: readonly Schema[]
  allOf?: readonly Schema[]
  properties?: Readonly<Record<string, Schema>>
  required?: readonly string[]
  additionalProperties?: boolean | Schema
  propertyNames?: Schema
  items?: Schema
  prefixItems?: readonly Schema[]
  minItems?: number
  maxItems?: number
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  multipleOf?: number
  pattern?: string
  format?: string
}

/** What values are made with. `known`: texts seen in answers, first those of a member of that name. */
export interface Maker {
  random: SeededRandom
  resolve: (ref: string) => Schema
  isValid: (schema: Schema, value: unknown) => boolean
  known: (name: string) => readonly string[]
}

/** A value that the schema lets stand, as far as such is found; not deeper than a few levels. */
export function validValue(schema: Schema, maker: Maker, name = '', depth = 0): unknown {
  const { random } = maker
  if (schema.$ref !== undefined) return validValue(maker.resolve(schema.$ref), maker, name, depth)
  if ('const' in schema) return schema.const
  if (schema.enum) return random.pick(schema.enum)
  const some = schema.anyOf ?? schema.oneOf
  if (some) return validValue(random.pick(some), maker, name, depth + 1)
  const { type = 'anything' } = schema
  switch (typeof type === 'string' ? type : random.pick(type)) {
    case 'object':
      return objectValue(schema, maker, depth)
    case 'array':
      return arrayValue(schema, maker, name, depth)
    case 'string':
      return textValue(schema, maker, name)
    case 'integer':
    case 'number':
      return numberValue(schema, random)
    case 'boolean':
      return random.chance(0.5)
    case 'null':
      return null
    default:
      return depth > 4 ? 'x' : wildValue(random, depth + 2)
  }
}

function objectValue(schema: Schema, maker: Maker, depth: number): Record<string, unknown> {
  const { properties = {}, required = [] } = schema
  const value: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(properties)) {
    const isWanted = required.includes(name) || (depth < 6 && maker.random.chance(0.5))
    if (isWanted) value[name] = validValue(member, maker, name, depth + 1)
  }
  return value
}

function arrayValue(schema: Schema, maker: Maker, name: string, depth: number): unknown[] {
  if (schema.prefixItems) return schema.prefixItems.map((item) => validValue(item, maker, name, depth + 1))
  const { minItems = 0, maxItems = 3, items = {} } = schema
  const count = depth > 5 ? minItems : maker.random.int(minItems, Math.max(minItems, Math.min(maxItems, 3)))
  return Array.from({ length: count }, () => validValue(items, maker, name, depth + 1))
}

const letters = 'a b c X Y Z 0 1 9 _ - . / : é 漢'.split(' ').concat(' ')

function textValue(schema: Schema, { random, known, isValid }: Maker, name: string): string {
  const fitting = random.chance(0.7) ? known(name).find((text) => isValid(schema, text)) : undefined
  if (fitting !== undefined) return fitting
  const { pattern, format, minLength = 0, maxLength = 40 } = schema
  if (format === 'date-time') return new Date(random.int(0, 2e12)).toISOString()
  if (format === 'date') return new Date(random.int(0, 2e12)).toISOString().slice(0, 10)
  const like = pattern === undefined ? undefined : textLike(pattern, random)
  if (like !== undefined) return like.slice(0, Math.max(maxLength, minLength))
  const length = random.int(minLength, Math.max(minLength, Math.min(maxLength, 40)))
  return Array.from({ length }, () => random.pick(letters)).join('')
}

/** Undefined where the pattern says what cannot be made from it: what may not be there. */
function textLike(pattern: string, random: SeededRandom): string | undefined {
  try {
    return sample(stringMatching(new RegExp(pattern, 'u')), { numRuns: 1, seed: random.int(0, 2 ** 31 - 1) })[0]
  } catch {
    return undefined
  }
}

function numberValue({ type, minimum = 0, maximum = 100_000, exclusiveMinimum }: Schema, random: SeededRandom): number {
  const low = exclusiveMinimum === undefined ? minimum : exclusiveMinimum + 1
  const high = Math.max(low, Math.min(maximum, low + 100_000))
  return type === 'number' && random.chance(0.3) ? low + 0.5 : random.pick([low, high, random.int(low, high)])
}

const strange = [
  '',
  ' ',
  '0',
  '-1',
  '__proto__',
  'null',
  '💥',
  'ａ',
  '%00',
  "' OR 1=1 --",
  '<b>',
  '\u202e',
  'x'.repeat(300),
]

/** Any JSON at all. */
export function wildValue(random: SeededRandom, depth = 0): unknown {
  const kind = random.int(0, depth > 3 ? 4 : 6)
  switch (kind) {
    case 0:
      return random.pick(strange)
    case 1:
      return random.pick([0, -1, 1.5, 2 ** 53 - 1, -(2 ** 53 - 1)])
    case 2:
      return random.chance(0.5)
    case 3:
      return null
    case 4:
      return ''
    case 5:
      return Array.from({ length: random.int(0, 3) }, () => wildValue(random, depth + 1))
    default:
      return Object.fromEntries(
        Array.from({ length: random.int(0, 3) }, (_, at) => [
          `${at}${random.pick(strange)}`,
          wildValue(random, depth + 1),
        ]),
      )
  }
}

/** Another text for a place in a path or a query: strange, and never empty. */
export function wildText(random: SeededRandom): string {
  return random.pick(strange) || 'x'
}

/** The value with one thing changed: a member is gone, is of another type, or is there beside those that may be. */
export function oneWrong(value: unknown, random: SeededRandom): unknown {
  if (typeof value !== 'object' || value === null || (random.chance(0.2) && !Array.isArray(value))) {
    return typeof value === 'object' && value !== null ? { ...value, notKnown: 1 } : wildValue(random)
  }
  if (Array.isArray(value)) {
    if (value.length === 0) return { not: 'an array' }
    const at = random.int(0, value.length - 1)
    return value.map((one: unknown, index) => (index === at ? oneWrong(one, random) : one))
  }
  const names = Object.keys(value)
  if (names.length === 0) return { notKnown: 1 }
  const name = random.pick(names)
  const members = { ...value } as Record<string, unknown>
  if (random.chance(0.4)) delete members[name]
  else members[name] = oneWrong(members[name], random)
  return members
}
