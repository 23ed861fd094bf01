import { describe, expect, it } from 'vitest'
import { type Piece, readExactly } from '../src/exact-text.ts'

const point = (hex: string): string => String.fromCodePoint(Number.parseInt(hex, 16))
const odd = (text: string): Piece[] => readExactly(text).pieces.filter(({ kind }) => kind === 'odd')
const labels = (text: string): string[] =>
  readExactly(text).pieces.flatMap((piece) => (piece.kind === 'odd' || piece.kind === 'blanks' ? [piece.label] : []))

/** Characters that deceive, one by one, with what is to be seen in their place. */
const deceivers: [why: string, text: string, label: string][] = [
  ['U01 right-to-left override', `rm ${point('202E')}gpj.exe`, 'U+202E'],
  ['U01 isolate', `a${point('2066')}b`, 'U+2066'],
  ['U01 end of isolate', `a${point('2069')}b`, 'U+2069'],
  ['U01 right-to-left mark', `a${point('200F')}b`, 'U+200F'],
  ['U02 zero-width space', `a${point('200B')}b`, 'U+200B'],
  ['U02 zero-width joiner', `a${point('200D')}b`, 'U+200D'],
  ['U02 soft hyphen', `a${point('AD')}b`, 'U+00AD'],
  ['U02 grapheme joiner', `a${point('34F')}b`, 'U+034F'],
  ['U02 variation selector', `a${point('FE0F')}b`, 'U+FE0F'],
  ['U02 supplementary variation selector', `a${point('E0100')}b`, 'U+E0100'],
  ['U02 tag letter', `a${point('E0041')}b`, 'U+E0041'],
  ['U02 word joiner', `a${point('2060')}b`, 'U+2060'],
  ['U02 byte order mark', `${point('FEFF')}ls`, 'U+FEFF'],
  ['U03 Hangul filler', `a${point('3164')}b`, 'U+3164'],
  ['U03 Hangul choseong filler', `a${point('115F')}b`, 'U+115F'],
  ['U03 blank Braille', `a${point('2800')}b`, 'U+2800'],
  ['U03 no-break space', `a${point('A0')}b`, 'U+00A0'],
  ['U03 line separator', `a${point('2028')}b`, 'U+2028'],
  ['U03 ideographic space', `a${point('3000')}b`, 'U+3000'],
  ['U05 carriage return', 'ls\rrm -rf /', 'U+000D'],
  ['U05 backspace', 'ls\b\brm', 'U+0008'],
  ['U06 escape', `\u001b[8mhidden`, 'U+001B'],
  ['U06 C1 control sequence', `a${point('9B')}8m`, 'U+009B'],
  ['U06 null', 'a\0b', 'U+0000'],
  ['lone high surrogate', 'a\ud83d b', 'U+D83D'],
  ['lone low surrogate', 'a\udc00b', 'U+DC00'],
  ['forty combining marks', `a${point('301').repeat(40)}b`, '40 combining marks'],
  ['private use', `a${point('E000')}b`, 'U+E000'],
  ['unassigned', `a${point('378')}b`, 'U+0378'],
]

describe('readExactly', () => {
  it.each(deceivers)('[W1] shows %s as its code point and asks for more than a click', (_why, text, label) => {
    const reading = readExactly(text)
    expect(labels(text)).toContain(label)
    expect(reading.grave).toBe(true)
    expect(reading.warnings).toHaveLength(1)
  })

  it('[W1] loses and adds nothing, whatever the text', () => {
    for (const [, text] of deceivers) expect(join(text)).toBe(text)
    const all = deceivers.map(([, text]) => text).join('\r\n\t' + ' '.repeat(40))
    expect(join(all)).toBe(all)
  })

  it('[W1] leaves ordinary commands and code alone', () => {
    for (const text of ['npm publish --access public --tag next', 'if (a) {\n    return b\n}\n', 'a\tb']) {
      expect(readExactly(text)).toMatchObject({ grave: false, warnings: [] })
      expect(odd(text)).toEqual([])
    }
  })

  it('[W1] marks U04 letters outside ASCII without hiding them', () => {
    const text = `cat /etc/p${point('430')}sswd ${point('FF52')}m`
    const reading = readExactly(text)
    expect(reading.pieces.filter(({ kind }) => kind === 'letters').map(({ text: letters }) => letters)).toEqual([
      point('430'),
      point('FF52'),
    ])
    expect(reading).toMatchObject({ grave: false, warnings: ['letters outside ASCII, marked'] })
  })

  it('keeps up to three combining marks with their letter', () => {
    const text = `e${point('301').repeat(3)}`
    expect(odd(text)).toEqual([])
    expect(readExactly(text).grave).toBe(false)
  })

  it('[W1] counts U07 blanks that push something out of sight', () => {
    expect(labels(`ls${' '.repeat(500)}; rm -rf ~`)).toEqual(['500 spaces'])
    expect(labels(`ls${'\n'.repeat(300)}rm -rf ~`)).toEqual(['300 line breaks'])
    expect(labels(`ls${'   \n'.repeat(20)}rm -rf ~`)).toEqual(['20 line breaks and 60 spaces'])
    expect(readExactly(`ls${' '.repeat(412)}x`).warnings).toEqual(['412 spaces in a row'])
  })

  it('shows a carriage return of a line break without raising an alarm', () => {
    expect(labels('a\r\nb')).toEqual(['CR'])
    expect(readExactly('a\r\nb')).toMatchObject({ grave: false, warnings: [] })
  })

  it('reads U08 a hostile text of a mebibyte at once', () => {
    // So long that the time of this test would never be enough if it grew with the square of the length.
    const text = `${'a'.repeat(16_000)}${' \n'.repeat(256_000)}${point('301').repeat(240_000)}${point('430').repeat(160_000)}`
    expect(join(text)).toBe(text)
  })
})

function join(text: string): string {
  return readExactly(text)
    .pieces.map((piece) => piece.text)
    .join('')
}
