import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TerminalLines } from '../src/terminal-text.ts'

function lines(...pieces: readonly string[]): string[] {
  const terminal = new TerminalLines()
  const all = pieces.flatMap((piece) => terminal.take(piece))
  const rest = terminal.rest()
  return rest === undefined ? all : [...all, rest]
}

describe('what a program wrote to a terminal', () => {
  it.each([
    ['colours', '\u001b[1;31mred\u001b[0m\r\n', ['red']],
    ['movements', 'a\u001b[2K\u001b[1Gb\u001b[?25l\n', ['ab']],
    ['titles', '\u001b]0;a title\u0007x\u001b]8;;http://a.b\u001b\\link\u001b]8;;\u001b\\\n', ['xlink']],
    ['a line that is written over itself', '10 %\r50 %\r100 %\ndone\n', ['100 %', 'done']],
    ['what is left of control characters', 'bell\u0007 \u009b31m\n', ['bell\\u{7} \\u{9b}31m']],
    ['other sequences', '\u001b(B\u001b7\u001b=x\u001bM\n', ['x']],
    ['a line that has not ended', 'no end', ['no end']],
  ])('[T23] %s', (_name, text, expected) => {
    expect(lines(text)).toEqual(expected)
  })

  it('[T23] gives the same lines wherever it is cut', () => {
    const whole = '\u001b[1;31mred\u001b[0m\r\n\u001b]0;title\u0007a\rb\r\nend \u001b[2Kx\n'
    fc.assert(
      fc.property(fc.array(fc.nat({ max: whole.length }), { maxLength: 8 }), (cuts) => {
        const at = [0, ...cuts.toSorted((a, b) => a - b), whole.length]
        const pieces = at.slice(1).map((end, index) => whole.slice(at[index], end))
        expect(lines(...pieces)).toEqual(['red', 'b', 'end x'])
      }),
    )
  })

  it('[T23] never holds a control character, and keeps no more than a bound', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string({ unit: fc.constantFrom('\u001b', '[', ']', ';', '3', 'm', 'P', '\\', '\u0007', '\r', '\n', 'x') }),
        ),
        (pieces) => {
          // oxlint-disable-next-line no-control-regex
          for (const line of lines(...pieces)) expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
        },
      ),
      { numRuns: 500 },
    )
    const terminal = new TerminalLines()
    let out = 0
    for (let round = 0; round < 100; round += 1) for (const line of terminal.take('y'.repeat(4_096))) out += line.length
    expect(out).toBeGreaterThan(99 * 4_096 - 32 * 1_024)
    expect(lines('\u001b]0;'.concat('z'.repeat(200_000)), 'after\n').join('').length).toBeGreaterThan(100_000)
  })
})
