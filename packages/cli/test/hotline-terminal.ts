import { join } from 'node:path'
import { openHeadless } from '@hotline/runner/terminal/headless'
import { waitFor } from '@hotline/testing/wait-for'
import { spawn } from '@lydell/node-pty'

/** The real program in a real terminal, as a person uses it. */
export interface HotlineTerminal {
  /** Everything that came, with what the terminal echoed. */
  readonly screen: string
  readonly pid: number
  /** Keys, as they are pressed; Enter is a carriage return. */
  type(keys: string): void
  /** Waits until the screen holds a text. */
  shows(text: string): Promise<unknown>
  /** What is on it now, line by line; the other screen of a terminal where a program uses that. */
  lines(): readonly string[]
  /** Waits until that holds a text in one line. */
  pictures(text: string): Promise<unknown>
  resize(cols: number, rows: number): void
  /** Its exit code. */
  readonly ended: Promise<number>
}

const hotline = [process.execPath, join(import.meta.dirname, '../bin/hotline.js')]

/** Starts `hotline`; `around` may put the command line into another one. */
export function startHotlineTerminal(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  around: (command: readonly string[]) => readonly string[] = (command) => command,
): HotlineTerminal {
  let screen = ''
  const [file = '', ...rest] = around([...hotline, ...args])
  const pty = spawn(file, rest, {
    cols: 200,
    env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm', ...env },
  })
  const drawn = openHeadless({ cols: 200, rows: 24, scrollback: 1_000 })
  pty.onData((text) => {
    screen += text
    drawn.write(text)
  })
  const lines = (): string[] => {
    const { active } = drawn.buffer
    return Array.from(
      { length: drawn.rows },
      (_, row) => active.getLine(active.baseY + row)?.translateToString(true) ?? '',
    )
  }
  const ended = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)))
  return {
    get screen() {
      return screen
    },
    pid: pty.pid,
    type: (keys) => pty.write(keys),
    shows: (text) =>
      waitFor(() => screen.includes(text), { what: `"${text}"` }).catch((error: unknown) => {
        throw new Error(`${String(error)}; the screen:\n${screen}`, { cause: error })
      }),
    lines,
    pictures: (text) =>
      waitFor(() => lines().some((line) => line.includes(text)), { what: `"${text}"` }).catch((error: unknown) => {
        throw new Error(`${String(error)}; the picture:\n${lines().join('\n')}`, { cause: error })
      }),
    resize: (cols, rows) => {
      drawn.resize(cols, rows)
      pty.resize(cols, rows)
    },
    ended,
  }
}
