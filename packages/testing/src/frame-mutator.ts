import type { SeededRandom } from './seed.ts'

/** Pieces of text that have broken programs: ends of strings and lines, half characters, directions, escapes, other notations. */
const oddPieces: readonly string[] = [
  '',
  '\u0000',
  '\ud800',
  '\udfff',
  '\u202e',
  '\ufeff',
  '\u2028',
  '\u001b[2J',
  '\r\n\r\n',
  '\n\nevent: x\ndata: y\n\n',
  '"',
  '\\',
  '\\u0000',
  '</script>',
  '${x}',
  '%s%n',
  '__proto__',
  'constructor',
  'toString',
  'e\u0301'.repeat(60),
  'x'.repeat(5_000),
  '0',
  '-1',
  'NaN',
  'null',
  '[]',
  '😀',
]

const oddNumbers: readonly number[] = [
  0,
  -0,
  -1,
  0.1,
  1e21,
  1e308,
  -1e308,
  5e-324,
  2 ** 31,
  2 ** 53,
  2 ** 53 + 2,
  2 ** 63,
]

const oddNames: readonly string[] = [
  '__proto__',
  'constructor',
  'prototype',
  'toJSON',
  'then',
  'length',
  '',
  ' ',
  'a.b',
  'x',
]

/** A text of a few odd pieces. */
export function oddText(random: SeededRandom): string {
  return Array.from({ length: random.int(1, 4) }, () =>
    random.chance(0.6) ? random.pick(oddPieces) : String.fromCharCode(random.int(32, 0xffff)),
  ).join('')
}

/** Any JSON value, odd where it can be, of at most so many levels. */
export function oddJson(random: SeededRandom, levels = 4): unknown {
  const kind = random.int(0, levels > 0 ? 6 : 4)
  if (kind <= 1) return oddText(random)
  if (kind === 2) return random.pick(oddNumbers)
  if (kind === 3) return random.chance(0.5)
  if (kind === 4) return null
  const items = Array.from({ length: random.int(0, 4) }, () => oddJson(random, levels - 1))
  if (kind === 5) return items
  // `__proto__` as a member of its own, as it comes out of a parser.
  return Object.fromEntries(items.map((item) => [random.pick(oddNames), item]))
}

interface Place {
  holder: Record<string, unknown>
  name: string
}

function placesIn(value: unknown, found: Place[] = []): Place[] {
  if (typeof value !== 'object' || value === null) return found
  const holder = value as Record<string, unknown>
  for (const name of Object.keys(holder)) {
    found.push({ holder, name })
    placesIn(holder[name], found)
  }
  return found
}

/** One member of it becomes something else, goes away, gets another name, or gets company; the frame itself stays as it is. */
export function mutateValue(random: SeededRandom, frame: object): object {
  const changed = structuredClone(frame)
  const { holder, name } = random.pick(placesIn(changed))
  switch (random.int(0, 4)) {
    case 0:
      delete holder[name]
      break
    case 1:
      holder[name] = oddJson(random)
      break
    case 2:
      holder[oddText(random)] = holder[name]
      delete holder[name]
      break
    case 3:
      // A list has no names to give: `length` would be its own.
      holder[Array.isArray(holder) ? String(holder.length) : random.pick(oddNames)] = oddJson(random)
      break
    default:
      holder[name] = random.chance(0.5) ? [holder[name]] : { [name]: holder[name] }
  }
  return changed
}

/** The text of a frame with something cut out, doubled, inserted, nested too deep, or with an end that never comes. */
export function mutateText(random: SeededRandom, text: string): string {
  const from = random.int(0, text.length)
  const to = Math.min(text.length, from + random.int(1, 20))
  switch (random.int(0, 7)) {
    case 0:
      return text.slice(0, from)
    case 1:
      return text.slice(0, from) + text.slice(to)
    case 2:
      return text.slice(0, to) + text.slice(from)
    case 3:
      return text.slice(0, from) + oddText(random) + text.slice(from)
    case 4:
      return text.slice(0, from) + '['.repeat(random.int(60, 3_000)) + text.slice(from)
    case 5:
      return `[${text}]`
    case 6:
      return text + text
    default:
      return random.bytes(random.int(1, 200)).toString('latin1')
  }
}
