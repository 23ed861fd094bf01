import { createRequire } from 'node:module'
import type { Report } from '@hotline/protocol/commands/agent'
import type * as Serialize from '@xterm/addon-serialize'
import type { TerminalSize } from '../process/holder.ts'
import type { Fate } from '../spool/outbox.ts'
import type { Mark } from '../spool/told.ts'
import { followModes, type HeadlessTerminal, modesText, openHeadless, type ScreenModes } from './headless.ts'
import { openSequence } from './open-sequence.ts'

// It is CommonJS without names that an import would find.
const load = createRequire(import.meta.url)
const { SerializeAddon } = load('@xterm/addon-serialize') as typeof Serialize

/**
 * Reports after which the screen is reported anew, so that one is always among the newest events of a session: screens that
 * are opened late read one window of 200 and need nothing older.
 */
const saveEvery = 64

/** Lines above the screen that are kept with it. */
const scrollbackLines = 100

/** JSON bytes of one screen; one that has more of colours than this is shown without them. */
const screenBytes = 160 * 1024

/** Where reports go. */
interface Sink {
  put(report: Report, mark?: Mark): void
  ask(report: Report, mark?: Mark): Promise<Fate>
}

/**
 * The screen of a terminal as everybody would see it who had read its whole output: fed with what is reported, secrets
 * already masked, and itself reported now and then, in the order of the output that it shows. It also answers what a
 * program asks of its terminal (where the cursor is, what it can do): pages never do, so there is one answer, also while
 * nobody looks.
 */
export class Screen implements Disposable {
  readonly #terminal: HeadlessTerminal
  readonly #modes: Readonly<ScreenModes>
  readonly #serialize: Serialize.SerializeAddon
  readonly #sink: Sink
  /** Characters that were given to the terminal, and that it has taken in. */
  #fed = 0
  #taken = 0
  #reports = 0
  #isChanged = false
  #isPast = false
  /** The beginning of a control sequence whose rest was not printed yet: it is in no picture of the screen. */
  #open = ''
  #waiting: (() => void)[] = []

  /** `answer`: what the terminal says to the program. */
  constructor(size: TerminalSize, sink: Sink, answer: (bytes: Uint8Array) => void) {
    this.#terminal = openHeadless({ ...size, scrollback: scrollbackLines })
    this.#modes = followModes(this.#terminal)
    this.#serialize = new SerializeAddon()
    this.#terminal.loadAddon(this.#serialize)
    this.#terminal.onData((text) => {
      if (!this.#isPast) answer(Buffer.from(text))
    })
    this.#sink = sink
  }

  /** The way of the reports: what they print is drawn. */
  get sink(): Sink {
    return {
      put: (report, mark) => {
        this.#see(report)
        this.#sink.put(report, mark)
      },
      ask: (report, mark) => {
        this.#see(report)
        return this.#sink.ask(report, mark)
      },
    }
  }

  /** Draws what was reported by an earlier life; what it asks of the terminal was answered then. */
  async recall(text: string): Promise<void> {
    this.#isPast = true
    this.#write(text)
    await this.#drawn()
    this.#isPast = false
  }

  resize({ cols, rows }: TerminalSize): void {
    this.#terminal.resize(cols, rows)
    this.#isChanged = true
  }

  /**
   * Reports the screen if that is due. Resolves when all that was reported is drawn, so that a program that prints faster
   * than it can be drawn is not read on.
   */
  async settle(): Promise<void> {
    await this.#drawn()
    if (this.#reports >= saveEvery && this.#isChanged && this.#open === '') this.#save()
  }

  [Symbol.dispose](): void {
    this.#terminal.dispose()
  }

  #see({ type, data, body }: Report): void {
    this.#reports += 1
    const text = body?.['text']
    if (type !== 'output.appended' || data['source'] !== 'pty' || typeof text !== 'string') return
    this.#write(text)
  }

  #write(text: string): void {
    this.#fed += text.length
    this.#isChanged = true
    this.#open = openSequence(this.#open, text)
    this.#terminal.write(text, () => {
      this.#taken += text.length
      if (this.#taken < this.#fed) return
      const waiting = this.#waiting
      this.#waiting = []
      for (const resolve of waiting) resolve()
    })
  }

  async #drawn(): Promise<void> {
    while (this.#taken < this.#fed) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** In one go with the look at it: nothing can be printed in between. */
  #save(): void {
    const { cols, rows } = this.#terminal
    const plain = this.#plainText()
    const whole = this.#serialize.serialize({ scrollback: scrollbackLines }) + modesText(this.#modes)
    const fits = Buffer.byteLength(JSON.stringify({ text: whole, plain })) <= screenBytes
    const text = fits ? whole : plain.replaceAll('\n', '\r\n')
    this.#reports = 0
    this.#isChanged = false
    this.#sink.put({ type: 'screen.saved', data: { cols, rows }, body: { text: text.toWellFormed(), plain } })
  }

  /** What is on the screen, without colours and without the empty lines below it. */
  #plainText(): string {
    const { active } = this.#terminal.buffer
    const lines: string[] = []
    for (let row = 0; row < this.#terminal.rows; row += 1) {
      lines.push(active.getLine(active.baseY + row)?.translateToString(true) ?? '')
    }
    return lines.join('\n').trimEnd().toWellFormed()
  }
}

/** True where a program may ask something of its terminal: it waits for the answer, and not for long. */
export function mayAsk(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- that is what it looks for
  return text.includes('\u001b') && /\u001b(?:\[[?>=]?[0-9;]*\$?[cnpq]|[P\]Z])/.test(text)
}
