import { writeSync } from 'node:fs'
import { plainModes } from './paint-screen.ts'

/** The terminal that this command runs in, taken whole. */
export interface OwnTerminal extends Disposable {
  readonly size: { cols: number; rows: number }
  /** False where it takes no more for now. */
  write(text: string): boolean
}

/** What it hears. */
export interface TerminalEars {
  keys(bytes: Buffer): void
  resized(): void
  /** All of it has to be painted anew: this program was stopped and goes on. */
  spoiled(): void
  drained(): void
  /** Nobody is there any more, or somebody ends this program. */
  ended(signal: NodeJS.Signals | undefined): void
}

const signals = ['SIGTERM', 'SIGHUP', 'SIGINT'] as const

/** The other screen; no line is wrapped, as each is painted at its place. */
const enter = '\u001b[?1049h\u001b[2J\u001b[?7l'
const leave = `\u001b[?2026l${plainModes}\u001b[0m\u001b[?7h\u001b[?25h\u001b[?1049l`

/**
 * Takes the terminal: every key comes as it is, and the screen is ours. It is as before when this is disposed of, and also
 * when the program ends in any other way but SIGKILL.
 */
export function takeTerminal(
  input: NodeJS.ReadStream,
  output: NodeJS.WriteStream & { fd: number },
  ears: TerminalEars,
): OwnTerminal {
  let isOver = false
  const restore = (): void => {
    if (isOver) return
    isOver = true
    // At once and whole: the process may be ending. A terminal that is gone needs nothing.
    try {
      input.setRawMode(false)
      writeSync(output.fd, leave)
    } catch {
      isOver = true
    }
  }
  const onKeys = (bytes: Buffer): void => ears.keys(bytes)
  const onEnd = (): void => ears.ended(undefined)
  const onResize = (): void => ears.resized()
  const onDrain = (): void => ears.drained()
  const onSignal = (signal: NodeJS.Signals): void => ears.ended(signal)
  const goOn = (): void => {
    // The shell has set its own ways meanwhile, and setting what is believed to be set does nothing.
    input.setRawMode(false)
    input.setRawMode(true)
    output.write(enter)
    ears.spoiled()
  }
  process.once('exit', restore)
  process.once('uncaughtExceptionMonitor', restore)
  process.on('SIGCONT', goOn)
  for (const signal of signals) process.on(signal, onSignal)
  input.setRawMode(true)
  input.on('data', onKeys).on('end', onEnd).on('error', onEnd)
  input.resume()
  output.on('resize', onResize).on('drain', onDrain).on('error', onEnd)
  output.write(enter)
  return {
    get size() {
      return { cols: Math.max(2, output.columns), rows: Math.max(3, output.rows) }
    },
    write: (text) => isOver || output.write(text),
    [Symbol.dispose]: () => {
      restore()
      process.off('exit', restore).off('uncaughtExceptionMonitor', restore).off('SIGCONT', goOn)
      for (const signal of signals) process.off(signal, onSignal)
      input.off('data', onKeys).off('end', onEnd)
      input.pause()
      output.off('resize', onResize).off('drain', onDrain)
    },
  }
}
