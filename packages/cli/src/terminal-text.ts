import { plainText } from './plain-text.ts'

/** A sequence that does not end, or a line that does not, is cut here: nothing grows without a bound. */
const pendingMaxChars = 16 * 1024

/** One whole escape sequence of a terminal: with parameters, with a text that ends in BEL or ST, or a short one. */
// oxlint-disable-next-line no-control-regex
const sequence = /\u001b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)|[ -/]*[0-OQ-WYZ\\`-~])/gu
/** The beginning of one at the end of a piece. */
// oxlint-disable-next-line no-control-regex
const unfinished = /\u001b(?:\[[0-?]*[ -/]*|[\]PX^_][^\u0007\u001b]*\u001b?|[ -/]*)?$/u

/**
 * What a program wrote to a terminal, as lines of plain text: colours and movements are left out, a carriage return begins
 * the line anew. Pieces may be cut anywhere. What is left of control characters is made visible.
 */
export class TerminalLines {
  #pending = ''
  #line = ''

  /** Whole lines, without their ends. */
  take(piece: string): string[] {
    const text = this.#pending + piece
    const cut = unfinished.exec(text)
    const end = cut && text.length - cut.index < pendingMaxChars ? cut.index : text.length
    // A carriage return at the end may be the first half of a line end.
    const whole = text.slice(0, end).replaceAll(sequence, '')
    const held = whole.endsWith('\r') && end === text.length ? '\r' : ''
    this.#pending = held + text.slice(end)
    const lines = (this.#line + (held ? whole.slice(0, -1) : whole)).replaceAll('\r\n', '\n').split('\n')
    this.#line = lines.pop() ?? ''
    if (this.#line.length > pendingMaxChars) {
      lines.push(this.#line)
      this.#line = ''
    }
    return lines.map(readable)
  }

  /** What is there of the last line; it counts as told. */
  rest(): string | undefined {
    const line = this.#line
    this.#line = ''
    return line === '' ? undefined : readable(line)
  }
}

/** The last state of a line that was written over itself. */
function readable(line: string): string {
  const parts = line.split('\r').filter((part) => part !== '')
  return plainText(parts.at(-1) ?? '')
}
