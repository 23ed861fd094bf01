/** Why a character is not shown as it is. `letter`: not ASCII, shown as it is but marked. */
export type OddKind = 'control' | 'direction' | 'invisible' | 'blank' | 'surrogate' | 'marks' | 'unassigned' | 'letter'

/** A piece of a text as it is shown. Joining the `text` of all pieces gives back exactly what came in. */
export type Piece =
  | { kind: 'plain'; text: string }
  | { kind: 'break'; text: '\n' }
  | { kind: 'tab'; text: '\t' }
  /** A run of blanks that would push what follows out of sight, as a count. */
  | { kind: 'blanks'; text: string; label: string }
  /** A character, or a run of combining marks, as its code point. */
  | { kind: 'odd'; text: string; label: string; odd: OddKind; name?: string }
  | { kind: 'letters'; text: string }

/** A text with all that a reader could miss in it. */
export interface Reading {
  pieces: readonly Piece[]
  /** What the reader is warned of, as short phrases; empty where all is plain. */
  warnings: readonly string[]
  /** True where something could deceive the eye: allowing it takes more than a click. */
  grave: boolean
}

/** Blanks in a row from which on they are counted instead of shown: more than any indentation needs. */
const blankRun = 16
/** Line breaks in a row (lines between them may hold blanks) from which on they are counted. */
const breakRun = 4

const names: Record<string, string> = {
  '0000': 'null',
  '0007': 'bell',
  '0008': 'backspace',
  '000D': 'carriage return',
  '001B': 'escape',
  '007F': 'delete',
  '009B': 'control sequence',
  '00A0': 'no-break space',
  '00AD': 'soft hyphen',
  '034F': 'grapheme joiner',
  '061C': 'Arabic letter mark',
  '115F': 'Hangul filler',
  '1160': 'Hangul filler',
  '180E': 'Mongolian vowel separator',
  '200B': 'zero-width space',
  '200C': 'zero-width non-joiner',
  '200D': 'zero-width joiner',
  '200E': 'left-to-right mark',
  '200F': 'right-to-left mark',
  '2028': 'line separator',
  '2029': 'paragraph separator',
  '202A': 'left-to-right embedding',
  '202B': 'right-to-left embedding',
  '202C': 'end of direction',
  '202D': 'left-to-right override',
  '202E': 'right-to-left override',
  '2060': 'word joiner',
  '2066': 'left-to-right isolate',
  '2067': 'right-to-left isolate',
  '2068': 'first-strong isolate',
  '2069': 'end of isolate',
  '2800': 'blank Braille pattern',
  '3000': 'ideographic space',
  '3164': 'Hangul filler',
  FEFF: 'byte order mark',
  FFA0: 'Hangul filler',
}

/** One alternative for each way a text is cut; the order is the priority. Linear: no alternative backtracks into another. */
const cut = new RegExp(
  [
    String.raw`(?<blanks>(?:[ \t]*\n){${breakRun},}|[ \t]{${blankRun},})`,
    String.raw`(?<line>\r\n|\n)`,
    String.raw`(?<tab>\t)`,
    String.raw`(?<marks>\p{M}{4,})`,
    String.raw`(?<direction>\p{Bidi_Control})`,
    String.raw`(?<control>\p{Cc})`,
    String.raw`(?<invisible>\p{Cf}|\p{Default_Ignorable_Code_Point})`,
    String.raw`(?<blank>[\p{Zl}\p{Zp}\u2800]|(?! )\p{Zs})`,
    String.raw`(?<surrogate>\p{Cs})`,
    String.raw`(?<unassigned>[\p{Co}\p{Cn}])`,
    String.raw`(?<letter>(?:(?!\p{Default_Ignorable_Code_Point})[\p{L}\p{N}\p{M}](?<![\0-\x7f]))+)`,
  ].join('|'),
  'gu',
)

/**
 * Cuts a text into what can be shown as it is and what must not be trusted to the eye: control, direction, invisible and
 * blank-looking characters, lone surrogates, piles of combining marks, letters outside ASCII, long runs of blanks.
 */
export function readExactly(text: string): Reading {
  const pieces: Piece[] = []
  const found = new Map<OddKind | 'blanks', number>()
  const count = (what: OddKind | 'blanks'): unknown => found.set(what, (found.get(what) ?? 0) + 1)
  let from = 0
  for (const match of text.matchAll(cut)) {
    if (match.index > from) pieces.push({ kind: 'plain', text: text.slice(from, match.index) })
    from = match.index + match[0].length
    pieces.push(...piecesOf(match, count))
  }
  if (from < text.length) pieces.push({ kind: 'plain', text: text.slice(from) })
  const grave = [...found.keys()].some((what) => what !== 'letter' && what !== 'blanks')
  return { pieces, warnings: Array.from(found).map(([what, times]) => warning(what, times, pieces)), grave }
}

function piecesOf(match: RegExpExecArray, count: (what: OddKind | 'blanks') => unknown): Piece[] {
  const [whole] = match
  const { groups = {} } = match
  if (groups.blanks !== undefined) {
    count('blanks')
    return [{ kind: 'blanks', text: whole, label: blanksLabel(whole) }]
  }
  if (whole === '\n') return [{ kind: 'break', text: '\n' }]
  // A carriage return that belongs to its line break deceives nobody, but it is there, so it is seen.
  if (whole === '\r\n') return [odd('\r', 'control', 'CR'), { kind: 'break', text: '\n' }]
  if (whole === '\t') return [{ kind: 'tab', text: '\t' }]
  if (groups.letter !== undefined) {
    count('letter')
    return [{ kind: 'letters', text: whole }]
  }
  if (groups.marks !== undefined) {
    count('marks')
    return [{ kind: 'odd', text: whole, label: `${Array.from(whole).length} combining marks`, odd: 'marks' }]
  }
  const kind = (['direction', 'control', 'invisible', 'blank', 'surrogate', 'unassigned'] as const).find(
    (candidate) => groups[candidate] !== undefined,
  )
  if (kind === undefined) return [{ kind: 'plain', text: whole }]
  count(kind)
  return [odd(whole, kind)]
}

function odd(text: string, kind: OddKind, label?: string): Piece {
  const hex = (text.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  const name = names[hex]
  return { kind: 'odd', text, label: label ?? `U+${hex}`, odd: kind, ...(name === undefined ? {} : { name }) }
}

/** "412 spaces", "300 line breaks", "6 line breaks and 40 spaces". */
function blanksLabel(text: string): string {
  const breaks = text.split('\n').length - 1
  const tabs = text.split('\t').length - 1
  const spaces = text.length - breaks - tabs
  const parts = [plural(breaks, 'line break'), plural(tabs, 'tab'), plural(spaces, 'space')]
  return parts.filter((part) => part !== '').join(' and ')
}

function plural(count: number, noun: string): string {
  if (count === 0) return ''
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`
}

function warning(what: OddKind | 'blanks', times: number, pieces: readonly Piece[]): string {
  switch (what) {
    case 'control':
      return plural(times, 'control character')
    case 'direction':
      return `${plural(times, 'character')} that turn${times === 1 ? 's' : ''} the reading direction`
    case 'invisible':
      return plural(times, 'invisible character')
    case 'blank':
      return plural(times, 'unusual blank')
    case 'surrogate':
      return `${plural(times, 'broken character')} (lone surrogate)`
    case 'marks':
      return plural(times, 'pile') + ' of combining marks'
    case 'unassigned':
      return plural(times, 'unassigned or private character')
    case 'letter':
      return 'letters outside ASCII, marked'
    case 'blanks':
      return (
        pieces
          .flatMap((piece) => (piece.kind === 'blanks' ? [piece.label] : []))
          .slice(0, 3)
          .join(', ') + ' in a row'
      )
  }
}
