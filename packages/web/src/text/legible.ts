/** A character that is shown as its code point, since as itself it would deceive the eye or a terminal. */
export interface Odd {
  odd: string
}

/** In prose: what a terminal obeys, and what turns words around. What joins emoji or breaks words softly is left. */
const inProse = /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu
/** In names and code also what cannot be seen at all. */
const inNames =
  /[\0-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\u{e0000}-\u{e0fff}]|\u034f/gu
const inLines = new RegExp(`${inNames.source}|[\\n\\t]`, 'gu')

/** Where a text stands: in a sentence, in code, or as a name of one line. */
export type Place = 'prose' | 'code' | 'name'

const patterns: Record<Place, RegExp> = { prose: inProse, code: inNames, name: inLines }

/** A text in pieces: most often one, itself. */
export function readLegibly(text: string, place: Place): readonly (string | Odd)[] {
  const pieces: (string | Odd)[] = []
  let from = 0
  for (const match of text.matchAll(patterns[place])) {
    if (match.index > from) pieces.push(text.slice(from, match.index))
    pieces.push({ odd: codePoint(match[0]) })
    from = match.index + match[0].length
  }
  if (from === 0) return [text]
  if (from < text.length) pieces.push(text.slice(from))
  return pieces
}

/** The same as one line of text, for where no boxes can be drawn: the browser's tab, a hint, a label that is read out. */
export function legibleName(text: string): string {
  return readLegibly(text, 'name')
    .map((piece) => (typeof piece === 'string' ? piece : `[${piece.odd}]`))
    .join('')
}

function codePoint(char: string): string {
  return `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
}
