import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { waitFor } from '@hotline/testing/wait-for'

/** The real program, at work. */
export interface HotlineProcess {
  readonly out: string
  readonly err: string
  readonly child: ChildProcess
  type(line: string): void
  /** No more is typed. */
  endInput(): void
  /** Waits until standard output holds a text. */
  says(text: string): Promise<unknown>
  readonly ended: Promise<{ code: number | null; out: string; err: string }>
}

/** Starts `hotline` with a home and surroundings of its own. */
export function startHotlineProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  place: { cwd?: string } = {},
): HotlineProcess {
  return startProcess(process.execPath, [join(import.meta.dirname, '../bin/hotline.js'), ...args], env, place)
}

/** The same for any program. */
export function startProcess(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  place: { cwd?: string } = {},
): HotlineProcess {
  const child = spawn(program, args, {
    ...place,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()))
  // It may have ended before everything was typed.
  child.stdin.on('error', () => undefined)
  const ended = new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, out, err }))
  })
  return {
    get out() {
      return out
    },
    get err() {
      return err
    },
    child,
    type: (line) => void child.stdin.write(`${line}\n`),
    endInput: () => void child.stdin.end(),
    says: (text) =>
      waitFor(() => out.includes(text), { what: `"${text}"` }).catch((error: unknown) => {
        throw new Error(`${String(error)}; it said:\n${out}${err}`, { cause: error })
      }),
    ended,
  }
}
