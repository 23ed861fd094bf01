import { limits } from '@hotline/protocol/limits'

/** Members of all objects and elements of all arrays in one document. */
const membersMax = 20_000

export type ParsedJson = { value: unknown } | { detail: string }

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

/** One pass over the text before anything is built from it; syntax that it lets pass fails in `JSON.parse`. */
function check(text: string): string | undefined {
  if (text.charCodeAt(0) === 0xfeff) return 'A byte order mark is not allowed; send plain UTF-8.'
  if (text.trim() === '') return 'The body is empty; a JSON object is expected.'
  const open: (Set<string> | undefined)[] = []
  let members = 0
  let at = 0
  while (at < text.length) {
    const char = text[at]
    if (char === '{' || char === '[') {
      open.push(char === '{' ? new Set() : undefined)
      if (open.length > limits.jsonDepth) return `Nested deeper than ${limits.jsonDepth} levels.`
      at += 1
    } else if (char === '}' || char === ']') {
      open.pop()
      at += 1
    } else if (char === ',') {
      members += 1
      if (members > membersMax) return `More than ${membersMax} members.`
      at += 1
    } else if (char === '"') {
      const end = endOfString(text, at)
      const raw = text.slice(at, end)
      const wrong = checkString(raw, at, text, end, open.at(-1))
      if (wrong !== undefined) return wrong
      at = end
    } else if (char === '-' || (char !== undefined && char >= '0' && char <= '9')) {
      const end = endOfNumber(text, at)
      if (!isExact(text.slice(at, end))) return `The number at ${at} cannot be kept as it is; send it as text.`
      at = end
    } else at += 1
  }
  return undefined
}

function checkString(
  raw: string,
  at: number,
  text: string,
  end: number,
  names: Set<string> | undefined,
): string | undefined {
  let value = raw.slice(1, -1)
  if (raw.includes('\\')) {
    try {
      value = JSON.parse(raw) as string
    } catch {
      return `The text at ${at} is not valid.`
    }
  }
  if (!value.isWellFormed()) return `The text at ${at} holds half a character (a lone surrogate).`
  if (!names || !isName(text, end)) return undefined
  if (value === '__proto__') return 'A member called "__proto__" is not allowed.'
  if (names.has(value)) return `The member "${value.slice(0, 50)}" is there twice.`
  names.add(value)
  return undefined
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1
    else if (text[at] === '"') return at + 1
  }
  return text.length
}

function endOfNumber(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && /[0-9.eE+-]/.test(text[at] ?? '')) at += 1
  return at
}

/** A string is a member's name when a colon follows. */
function isName(text: string, end: number): boolean {
  let at = end
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at += 1
  return text[at] === ':'
}

/** Whole numbers must be safe integers, others finite; minus zero is no number that anybody means. */
function isExact(digits: string): boolean {
  const value = Number(digits)
  if (!Number.isFinite(value) || Object.is(value, -0)) return false
  return /[.eE]/.test(digits) || Number.isSafeInteger(value)
}
