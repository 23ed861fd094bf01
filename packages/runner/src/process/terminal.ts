import { spawn } from '@lydell/node-pty'
import type { ProcessSpec, TerminalSize } from './holder.ts'

/** A program in a terminal of its own, in bytes. */
export interface Terminal {
  readonly pid: number
  write(bytes: Uint8Array): void
  resize(size: TerminalSize): void
  pause(): void
  resume(): void
  onBytes(hear: (bytes: Uint8Array) => void): void
  /** `signal` is 0 where it ended by itself. */
  onExit(hear: (exit: { code: number; signal: number }) => void): void
}

/** Starts a program in a terminal. It leads a kernel session of its own. */
export function spawnTerminal(spec: ProcessSpec, size: TerminalSize): Terminal {
  const [program = '', ...args] = spec.argv
  const pty = spawn(program, args, {
    name: spec.env['TERM'] ?? 'xterm-256color',
    cols: size.cols,
    rows: size.rows,
    cwd: spec.cwd,
    env: { ...spec.env },
    encoding: null,
  })
  return {
    pid: pty.pid,
    // The typings know strings alone; what arrives is written to a socket, which takes bytes as well.
    write: (bytes) => pty.write(bytes as unknown as string),
    resize: ({ cols, rows }) => {
      try {
        pty.resize(cols, rows)
      } catch {
        // The program ended a moment ago and its terminal is closed: there is nothing to resize.
      }
    },
    pause: () => pty.pause(),
    resume: () => pty.resume(),
    onBytes: (hear) => void pty.onData((data) => hear(data as unknown as Uint8Array)),
    onExit: (hear) => void pty.onExit(({ exitCode, signal }) => hear({ code: exitCode, signal: signal ?? 0 })),
  }
}
