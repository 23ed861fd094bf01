import { join } from 'node:path'
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
  pty.onData((text) => (screen += text))
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
    ended,
  }
}
