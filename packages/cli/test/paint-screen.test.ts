import { followModes, type HeadlessTerminal, openHeadless } from '@hotline/runner/terminal/headless'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KeyReader } from '../src/screen/key-reader.ts'
import { plainModes, ScreenPainter } from '../src/screen/paint-screen.ts'

const written = (terminal: HeadlessTerminal, text: string): Promise<void> =>
  new Promise((resolve) => terminal.write(text, resolve))

/** Each place of a line: its letter, its colours and its marks. */
function cellsOf(terminal: HeadlessTerminal, rows: number): string[][] {
  const { active } = terminal.buffer
  return Array.from({ length: rows }, (_, row) => {
    const line = active.getLine(active.baseY + row)
    return Array.from({ length: terminal.cols }, (__, col) => {
      const cell = line?.getCell(col)
      if (!cell) return ''
      const marks = [
        cell.isBold(),
        cell.isDim(),
        cell.isItalic(),
        cell.isUnderline(),
        cell.isInverse(),
        cell.isStrikethrough(),
      ]
      const isSet = marks.map((mark) => (mark ? 1 : 0)).join('')
      return `${cell.getChars() || ' '} ${cell.getWidth()} ${cell.isFgRGB()}:${cell.getFgColor()} ${cell.isBgRGB()}:${cell.getBgColor()} ${isSet}`
    })
  })
}

/** What programs print: letters, wide ones, moves, colours, erasing, scrolling, the other screen. */
const piece = fc.oneof(
  fc.string({ minLength: 1, maxLength: 30 }),
  fc.constantFrom(
    '猫',
    'ä',
    '\r\n',
    '\u001b[K',
    '\u001b[2J',
    '\u001b[L',
    '\u001b[3P',
    '\u001b[4@',
    '\u001bM',
    '\u001b[?1049h',
    '\u001b[?1049l',
  ),
  fc.tuple(fc.nat(14), fc.nat(44)).map(([row, col]) => `\u001b[${row};${col}H`),
  fc.constantFrom(0, 1, 2, 3, 4, 7, 9, 31, 44, 97, 105, 39, 49).map((code) => `\u001b[${code}m`),
  fc.nat(255).map((colour) => `\u001b[38;5;${colour}m`),
  fc.nat(0xff_ff_ff).map((rgb) => `\u001b[48;2;${rgb >> 16};${(rgb >> 8) & 255};${rgb & 255}m`),
)

describe('the picture of a screen', () => {
  it('[B84] shows what the screen of the program shows, whatever it prints, however it is painted in between', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(piece, { maxLength: 8 }), { maxLength: 6 }), async (bursts) => {
        const program = openHeadless({ cols: 40, rows: 12, scrollback: 0 })
        const here = openHeadless({ cols: 40, rows: 13, scrollback: 0 })
        const modes = followModes(program)
        const painter = new ScreenPainter()
        await written(here, '\u001b[?1049h\u001b[?7l')
        for (const burst of [[], ...bursts]) {
          await written(program, burst.join(''))
          const painting = { terminal: program, modes, cols: 40, rows: 13, status: 'status', isTyping: true }
          await written(here, painter.paint(painting))
          expect(cellsOf(here, 12)).toEqual(cellsOf(program, 12))
          const [at, shown] = [program.buffer.active, here.buffer.active]
          expect([shown.cursorX, shown.cursorY]).toEqual([Math.min(at.cursorX, 39), at.cursorY])
        }
        program.dispose()
        here.dispose()
      }),
      { numRuns: 40 },
    )
  })

  it('[B84] nothing that a program printed reaches the terminal as it was', async () => {
    const program = openHeadless({ cols: 40, rows: 3, scrollback: 0 })
    const modes = followModes(program)
    await written(
      program,
      '\u001b]52;c;aGk=\u0007\u001b]0;title\u0007\u001b[6n\u001b[c\u001bP+q\u001b\\a\u202eb\u001b]8;;http://x\u0007link\u001b]8;;\u0007',
    )
    const text = new ScreenPainter().paint({ terminal: program, modes, cols: 40, rows: 4, status: '', isTyping: true })
    // oxlint-disable-next-line no-control-regex -- that is what it looks for
    expect(text.replaceAll(/\u001b\[[?0-9;]*[mKHhl]/g, '')).toMatch(/^ablink[ ]+$/)
  })

  it('[B84] keys, pastes and the mouse are told as the program wants them, to whoever types, and as before afterwards', async () => {
    const program = openHeadless({ cols: 40, rows: 3, scrollback: 0 })
    const modes = followModes(program)
    const here = openHeadless({ cols: 40, rows: 4, scrollback: 0 })
    const before = { ...here.modes }
    const painter = new ScreenPainter()
    const show = async (isTyping: boolean): Promise<void> =>
      await written(here, painter.paint({ terminal: program, modes, cols: 40, rows: 4, status: '', isTyping }))
    await written(program, '\u001b[?1h\u001b=\u001b[?2004h\u001b[?1002h\u001b[?1006h\u001b[?25l')
    await show(false)
    expect(here.modes).toEqual(before)
    await show(true)
    const wanted = { applicationCursorKeysMode: true, bracketedPasteMode: true, mouseTrackingMode: 'drag' }
    expect(here.modes).toMatchObject(wanted)
    await written(program, '\u001b[?1003h')
    await show(true)
    expect(here.modes).toMatchObject({ mouseTrackingMode: 'any' })
    await written(here, plainModes)
    expect(here.modes).toEqual(before)
  })
})

describe('the keys of an attached terminal', () => {
  const read = (...chunks: string[]): string[] => {
    const reader = new KeyReader()
    const all = chunks.flatMap((chunk) => reader.take(Buffer.from(chunk)))
    return all.map((pressed) => (pressed.kind === 'keys' ? JSON.stringify(pressed.bytes.toString()) : pressed.kind))
  }

  it('[B81] are told from the chord, wherever they are cut', () => {
    expect(read('ab\u001dqc')).toEqual(['"ab"', 'chord', 'leave', '"c"'])
    expect(read('\u001d', 'K')).toEqual(['chord', 'keyboard'])
    expect(read('\u001d', '\u001d')).toEqual(['chord', JSON.stringify('\u001d')])
    expect(read('\u001dx')).toEqual(['chord', 'unknown'])
    expect(read('\u001b[20', '0~a\u001dq', '\u001b[201~\u001dq').slice(-2)).toEqual(['chord', 'leave'])
    expect(read('\u001b[200~a\u001dq')).toEqual([JSON.stringify('\u001b[200~a\u001dq')])
  })
})
