import { closeSync, constants, openSync } from 'node:fs'
import type { ReadStream } from 'node:tty'
import { type IPty, spawn } from '@lydell/node-pty'
import type { ProcessSpec, TerminalSize } from './holder.ts'

/** A program in a terminal of its own, in bytes. */
export interface Terminal {
  readonly pid: number
  write(bytes: Uint8Array): void
  resize(size: TerminalSize): void
  pause(): void
  resume(): void
  onBytes(hear: (bytes: Uint8Array) => void): void
  /** Comes after the last byte, so while it is paused it waits for `resume`. `signal` is 0 where it ended by itself. */
  onExit(hear: (exit: { code: number; signal: number }) => void): void
}

/** A terminal that an ended program has left is read until it has been still for so long. */
const stillMs = 200

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
  const reading = readToEnd(pty)
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
    pause: () => reading.pause(),
    resume: () => reading.resume(),
    onBytes: (hear) => void pty.onData((data) => hear(data as unknown as Uint8Array)),
    onExit: (hear) => void pty.onExit(({ exitCode, signal }) => hear({ code: exitCode, signal: signal ?? 0 })),
  }
}

/** Of the library, and not in its typings. Elsewhere (Windows) there is none of it. */
interface UnixPty {
  _socket?: ReadStream
  /** The name of the side that the program has. */
  _pty?: string
}

/**
 * Keeps the program's side of a terminal open, and answers what lets go of it. A program may close all that it has of its
 * terminal and go on (`touch` does, just before it ends): to the reader that looks like the end, and a terminal that its
 * reader leaves ends its program with SIGHUP.
 */
function holdOpen(name: string | undefined): () => void {
  if (name === undefined) return () => {}
  let held: number | undefined
  try {
    held = openSync(name, constants.O_RDWR | constants.O_NOCTTY)
  } catch {
    // It ended before this line, and its terminal with it.
  }
  return () => {
    if (held !== undefined) closeSync(held)
    held = undefined
  }
}

/**
 * The library closes a terminal 200 ms after the end of its program, read or not: what was printed last is lost where it
 * was paused, or the machine stood still for that long. So its own call to close waits until all was read. Until that call
 * the terminal stays open, whatever the program does with it.
 */
function readToEnd(pty: IPty): { pause(): void; resume(): void } {
  let isPaused = false
  let isWanted = false
  let pieces = 0
  // oxlint-disable-next-line no-underscore-dangle -- the library's names
  const { _socket: socket, _pty: name } = process.platform === 'win32' ? {} : (pty as UnixPty)
  const letGo = holdOpen(name)
  const close = socket?.destroy.bind(socket)
  const closeWhenStill = (): void => {
    const before = pieces
    // A timer may be late: only a look at the terminal after it says that nothing came.
    setTimeout(() => {
      setImmediate(() => {
        if (isPaused) return
        if (pieces === before) close?.()
        else closeWhenStill()
      })
    }, stillMs)
  }
  if (socket && close) {
    pty.onData(() => (pieces += 1))
    socket.once('close', letGo)
    socket.destroy = (error?: Error) => {
      letGo()
      if (error !== undefined || socket.readableEnded) return close(error)
      isWanted = true
      if (!isPaused) closeWhenStill()
      return socket
    }
  }
  return {
    pause: () => {
      isPaused = true
      pty.pause()
    },
    resume: () => {
      isPaused = false
      pty.resume()
      if (isWanted) closeWhenStill()
    },
  }
}
