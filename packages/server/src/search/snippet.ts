/** Text around what was found in it, and where that is. */
export interface Snippet {
  snippet: string
  ranges: [number, number][]
}

const snippetChars = 240
/** What stands before the first place. */
const leadChars = 60
const dots = '…'

/** Cuts the text around the first place. Signs that move a cursor, and ends of lines, become spaces: places stay. */
export function snippetOf(text: string, ranges: readonly (readonly [number, number])[]): Snippet {
  const [first = 0] = ranges[0] ?? []
  const from = first <= leadChars ? 0 : afterSpace(text, first - leadChars, first)
  const to = Math.min(text.length, from + snippetChars)
  const before = from > 0 ? dots : ''
  const shift = before.length - from
  const middle = text
    .slice(from, to)
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ')
  return {
    snippet: `${before}${middle}${to < text.length ? dots : ''}`,
    ranges: ranges
      .filter(([start]) => start >= from && start < to)
      .map(([start, end]) => [start + shift, Math.min(end, to) + shift]),
  }
}

/** The beginning of a word, where there is one before `limit`. */
function afterSpace(text: string, from: number, limit: number): number {
  const space = text.indexOf(' ', from)
  return space === -1 || space >= limit ? from : space + 1
}
