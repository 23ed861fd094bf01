import { limits } from '@hotline/protocol/limits'

/** Members of all objects and elements of all arrays in one document. */
export const membersMax = 20_000

/** What was read, or in `detail` why it was not. */
export type ParsedJson = { value: unknown } | { detail: string }

/** An object or array that is open at the place that is being read. */
interface Open {
  /** Names so far; absent for an array. */
  names: Set<string> | undefined
  /** The name read last: that of the value that comes next. */
  name: string
}

/**
 * JSON from outside, read strictly: no byte order mark, no duplicate members, no `__proto__`, nothing deeper than the
 * limit, no lone surrogates, no numbers that would change by being read (9007199254740993, 1e400). `detail` says what is
 * wrong and where.
 */
export function parseJson(text: string): ParsedJson {
  const detail = check(text)
  if (detail !== undefined) return { detail }
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return { detail: 'This is not JSON.' }
  }
}

/** The same for bytes, which must be UTF-8. */
export function parseJsonBytes(bytes: Uint8Array): ParsedJson {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return { detail: 'This is not UTF-8.' }
  }
  return parseJson(text)
}

/** One pass over the text before anything is built from it; syntax that it lets pass fails in `JSON.parse`. */
function check(text: string): string | undefined {
  if (text.charCodeAt(0) === 0xfeff) return 'A byte order mark is not allowed; send plain UTF-8.'
  if (text.trim() === '') return 'The body is empty; a JSON object is expected.'
  const open: Open[] = []
  let members = 0
  let at = 0
  while (at < text.length) {
    const char = text[at] ?? ''
    if (char === '"') {
      const end = endOfString(text, at)
      const wrong = checkString(text, at, end, open)
      if (wrong !== undefined) return wrong
      at = end
      continue
    }
    if (char === '-' || isDigit(char)) {
      const end = endOfNumber(text, at)
      if (!isExact(text.slice(at, end))) return `The number at ${at} cannot be kept as it is; send it as text.`
      at = end
      continue
    }
    if (char === '{' || char === '[') {
      open.push({ names: char === '{' ? new Set() : undefined, name: '' })
      if (open.length > limits.jsonDepth) return `Nested deeper than ${limits.jsonDepth} levels.`
    } else if (char === '}' || char === ']') open.pop()
    else if (char === ',') {
      members += 1
      if (members > membersMax) return `More than ${membersMax} members.`
    }
    at += 1
  }
  return undefined
}

function checkString(text: string, start: number, end: number, open: readonly Open[]): string | undefined {
  const raw = text.slice(start, end)
  let value = raw.slice(1, -1)
  if (raw.includes('\\')) {
    try {
      value = JSON.parse(raw) as string
    } catch {
      return `The text at ${start} is not valid.`
    }
  }
  if (!value.isWellFormed()) return `The text at ${start} holds half a character (a lone surrogate).`
  const here = open.at(-1)
  if (!here?.names || !isName(text, end)) return undefined
  here.name = value
  return nameRefusal(value, here.names, open.at(-2)?.name)
}

/** Why a member may not have this name, below a member called `above`; adds it to the names where it may. */
export function nameRefusal(name: string, names: Set<string>, above: string | undefined): string | undefined {
  if (name === '__proto__' || (name === 'prototype' && above === 'constructor')) {
    return `A member called "${name}" is not allowed here.`
  }
  if (names.has(name)) return `The member "${name.slice(0, 50)}" is there twice.`
  names.add(name)
  return undefined
}

function endOfString(text: string, start: number): number {
  let at = start + 1
  for (;;) {
    const quote = text.indexOf('"', at)
    if (quote === -1) return text.length
    let slashes = 0
    while (text[quote - 1 - slashes] === '\\') slashes += 1
    if (slashes % 2 === 0) return quote + 1
    at = quote + 1
  }
}

function endOfNumber(text: string, start: number): number {
  let at = start + 1
  for (;;) {
    const char = text[at] ?? ''
    if (!isDigit(char) && !(char !== '' && '.eE+-'.includes(char))) return at
    at += 1
  }
}

function isDigit(char: string): boolean {
  return char >= '0' && char <= '9'
}

/** A string is a member's name when a colon follows. */
function isName(text: string, end: number): boolean {
  let at = end
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at += 1
  return text[at] === ':'
}

/** Longer than any number that a double prints. */
const numberMaxChars = 400
/** Digits that a double keeps whatever they are. */
const safeDigits = 15

/** Read and written again it is the same number; minus zero is no number that anybody means. */
function isExact(digits: string): boolean {
  if (digits.length > numberMaxChars) return false
  const value = Number(digits)
  // What is no number at all is for JSON.parse to refuse.
  if (Number.isNaN(value)) return true
  if (!Number.isFinite(value) || Object.is(value, -0)) return false
  if (!/[.eE]/.test(digits)) return Number.isSafeInteger(value)
  const [given] = decimal(digits)
  if (given === '0') return true
  if (value === 0) return false
  return given.length <= safeDigits || String(decimal(digits)) === String(decimal(String(value)))
}

/** Significant digits and the power of ten of the last one. */
function decimal(text: string): [digits: string, power: number] {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().replace('-', '').split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const all = (whole + fraction).replace(/^0+/, '')
  const digits = all.replace(/0+$/, '')
  if (digits === '') return ['0', 0]
  return [digits, Number(exponent) - fraction.length + (all.length - digits.length)]
}
