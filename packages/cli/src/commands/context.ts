import type { Server } from '../ask-server.ts'
import type { Settings } from '../settings.ts'

/** What every command is given: settings, the server behind them, and where to say something. */
export interface CommandContext {
  settings(): Settings
  /** Throws a `Failure` without a credential. */
  server(): Server
  readonly json: boolean
  /** To standard output: the value as one line of JSON, or the text. */
  print(value: unknown, text: string): void
  write(text: string): void
  /** To standard error, so that output stays clean. */
  note(text: string): void
  readonly stdin: NodeJS.ReadStream
  /** The exit code of the process, unless something fails. */
  exit(code: number): void
  /** Aborted by Ctrl-C, once something asks for it. */
  interrupted(): AbortSignal
}
