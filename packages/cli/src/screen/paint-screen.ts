import type { HeadlessTerminal, ScreenCell, ScreenModes } from '@hotline/runner/terminal/headless'

/** What is painted, and into what. */
export interface Painting {
  terminal: HeadlessTerminal
  modes: Readonly<ScreenModes>
  /** Of the terminal here, whose last line is for `status`. */
  cols: number
  rows: number
  status: string
  /** Whoever types here has keys, pastes and the mouse told as the program wants them. */
  isTyping: boolean
}

/** What a program may write that is no letter: it would not take the one place that the screen gives it. */
const notLetters = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

const mouseModes = { none: undefined, x10: 9, vt200: 1000, drag: 1002, any: 1003 } as const

/** Resets what `ScreenPainter` may have set. */
export const plainModes = '\u001b[?9l\u001b[?1000l\u001b[?1002l\u001b[?1003l\u001b[?1006l\u001b[?2004l\u001b[?1l\u001b>'

/**
 * Paints the screen of a program into a terminal of another size, line by line and only those that changed. What is
 * written is made here from letters and colours, so nothing that a program printed reaches the terminal as it was: it can
 * neither ask it something nor change what is around the picture.
 */
export class ScreenPainter {
  #lines: string[] = []
  #modes = new Map<string, string>()

  /** The next painting is whole. */
  forget(): void {
    this.#lines = []
    this.#modes.clear()
  }

  /** What to write so that the terminal shows this. */
  paint(painting: Painting): string {
    const { terminal, cols, rows, status } = painting
    const { baseY, cursorX, cursorY } = terminal.buffer.active
    const height = Math.max(1, rows - 1)
    // Where the program's screen is larger, what is around its cursor is shown.
    const top = clamp(cursorY - height + 1, terminal.rows - height)
    const left = clamp(cursorX - cols + 1, terminal.cols - cols)
    const lines = Array.from({ length: height }, (_, row) =>
      top + row < terminal.rows ? lineText(terminal, baseY + top + row, left, cols) : '\u001b[0m\u001b[K',
    )
    lines.push(`\u001b[0;7m${status.slice(0, cols).padEnd(cols)}\u001b[0m`)
    const changed = lines
      .map((line, row) => (line === this.#lines[row] ? '' : `\u001b[${row + 1};1H${line}`))
      .filter((line) => line !== '')
    this.#lines = lines
    const isInside = cursorX - left <= cols && cursorY - top < height
    const cursor =
      painting.modes.isCursorHidden || !isInside
        ? ''
        : `\u001b[${cursorY - top + 1};${Math.min(cursorX - left, cols - 1) + 1}H\u001b[?25h`
    return `\u001b[?2026h\u001b[?25l${this.#mode(painting)}${changed.join('')}${cursor}\u001b[?2026l`
  }

  #mode({ terminal, modes, isTyping }: Painting): string {
    const { applicationCursorKeysMode, applicationKeypadMode, bracketedPasteMode, mouseTrackingMode } = terminal.modes
    const mouse = mouseModes[mouseTrackingMode]
    const wanted: [name: string, on: string, off: string, isOn: boolean][] = [
      ['cursor', '\u001b[?1h', '\u001b[?1l', applicationCursorKeysMode],
      ['keypad', '\u001b=', '\u001b>', applicationKeypadMode],
      ['paste', '\u001b[?2004h', '\u001b[?2004l', bracketedPasteMode],
      ...[9, 1000, 1002, 1003].map((mode): [string, string, string, boolean] => [
        `mouse ${mode}`,
        `\u001b[?${mode}h`,
        `\u001b[?${mode}l`,
        mouse === mode,
      ]),
      ['figures', '\u001b[?1006h', '\u001b[?1006l', mouse !== undefined && modes.hasMouseFigures],
    ]
    const texts = wanted.map(([name, on, off, isOn]) => {
      const text = isTyping && isOn ? on : off
      const before = this.#modes.get(name) ?? off
      this.#modes.set(name, text)
      return text === before ? '' : text
    })
    // What ends comes first: two kinds of mouse exclude each other.
    return texts.toSorted((one, other) => Number(other.endsWith('l')) - Number(one.endsWith('l'))).join('')
  }
}

function clamp(value: number, max: number): number {
  return Math.max(0, Math.min(value, max))
}

function lineText(terminal: HeadlessTerminal, y: number, left: number, cols: number): string {
  const line = terminal.buffer.active.getLine(y)
  if (!line) return '\u001b[0m\u001b[K'
  const end = Math.min(left + cols, terminal.cols)
  let text = '\u001b[0m'
  let look = ''
  let blanks = ''
  for (let x = left; x < end; x += 1) {
    const cell = line.getCell(x)
    if (!cell) break
    const width = cell.getWidth()
    // The second half of a wide letter.
    if (width === 0 && x > left) continue
    const own = lookOf(cell)
    const letters = width === 0 || x + width > end ? ' ' : cell.getChars().replaceAll(notLetters, '') || ' '
    // Empty places at the end of a line are erased, not written.
    if (letters === ' ' && own === '' && width === 1) {
      blanks += look === '' ? ' ' : `\u001b[0m `
      look = ''
      continue
    }
    text += blanks
    blanks = ''
    if (own !== look) text += `\u001b[0${own}m`
    look = own
    text += letters
    // Terminals differ in how wide they think that such a letter is.
    if (width > 1 || letters.length > 1) text += `\u001b[${x - left + width + 1}G`
  }
  if (blanks === '' && end - left === cols) return `${text}\u001b[0m`
  return `${text}\u001b[0m\u001b[K`
}

/** Colours and marks, as what follows `0` in the sequence that sets them. */
function lookOf(cell: ScreenCell): string {
  if (cell.isAttributeDefault()) return ''
  const marks: [number, string][] = [
    [cell.isBold(), ';1'],
    [cell.isDim(), ';2'],
    [cell.isItalic(), ';3'],
    [cell.isUnderline(), ';4'],
    [cell.isBlink(), ';5'],
    [cell.isInverse(), ';7'],
    [cell.isInvisible(), ';8'],
    [cell.isStrikethrough(), ';9'],
    [cell.isOverline(), ';53'],
  ]
  const fore = colour(cell.isFgRGB(), cell.isFgPalette(), cell.getFgColor(), 30)
  const back = colour(cell.isBgRGB(), cell.isBgPalette(), cell.getBgColor(), 40)
  return `${marks.map(([isSet, text]) => (isSet ? text : '')).join('')}${fore}${back}`
}

function colour(isRgb: boolean, isPalette: boolean, value: number, base: 30 | 40): string {
  if (isRgb) return `;${base + 8};2;${value >> 16};${(value >> 8) & 255};${value & 255}`
  if (!isPalette) return ''
  if (value < 8) return `;${base + value}`
  return value < 16 ? `;${base + 60 + value - 8}` : `;${base + 8};5;${value}`
}
