import { type Piece, readExactly } from '@hotline/core/exact-text'
import { plainText } from './plain-text.ts'

/** Letters that are listed with their code points; more are counted. */
const lettersListed = 8

/** A text exactly as it would run, for a terminal. */
export interface ExactLines {
  /** Without their ends; nothing in them can move the cursor or hide. */
  lines: readonly string[]
  /** What the reader should look at closely; absent where all is plain. */
  warning?: string
  /** True where something could deceive the eye. */
  grave: boolean
}

/** What cannot be seen is shown as its code point, long runs of blanks as a count. */
export function exactLines(text: string): ExactLines {
  const { pieces, warnings, grave } = readExactly(text)
  // The escaper has the last word: it knows nothing of pieces and lets no control character through.
  const lines = pieces.map(shown).join('').split('\n').map(plainText)
  const letters = strangeLetters(pieces)
  const told = warnings.map((warning) => (warning.startsWith('letters') && letters ? letters : warning))
  return { lines, grave, ...(told.length > 0 ? { warning: told.join('; ') } : {}) }
}

function shown(piece: Piece): string {
  switch (piece.kind) {
    case 'plain':
    case 'break':
    case 'tab':
    case 'letters':
      return piece.text
    case 'blanks':
      return `\\{${piece.label}}`
    case 'odd':
      return piece.odd === 'marks' ? `\\{${piece.label}}` : `\\u{${(piece.text.codePointAt(0) ?? 0).toString(16)}}`
  }
}

/** A terminal has no marks that a letter could not imitate, so the letters are named. */
function strangeLetters(pieces: readonly Piece[]): string | undefined {
  const letters = new Set(pieces.flatMap((piece) => (piece.kind === 'letters' ? Array.from(piece.text) : [])))
  if (letters.size === 0) return undefined
  const named = [...letters]
    .slice(0, lettersListed)
    .map((letter) => `${letter} (U+${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')})`)
  const more = letters.size > lettersListed ? ` and ${letters.size - lettersListed} more` : ''
  return `letters outside ASCII: ${named.join(', ')}${more}`
}
