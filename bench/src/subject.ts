import type { Compiled, Program } from './compile.ts'
import type { Dialect } from './dialects.ts'

/** What a subject or a scenario may use of the machine. */
export interface Bench {
  programs: Readonly<Record<Program, Compiled>>
  /** Processors to stay on; undefined: any. */
  serverCpu: number | undefined
  loadCpu: number | undefined
  /** An empty directory for this sample alone, on the disk that is measured. Removed afterwards. */
  scratch: string
  /** Aborts when the run is interrupted: children end. */
  signal: AbortSignal
  /** Where children that run on Node leave a CPU profile when they end; undefined: they are not profiled. */
  profileDir: string | undefined
}

/** A server that is measured. A fresh one is started for every sample. */
export interface Subject {
  /** As it stands in the tables. */
  readonly name: string
  /** Starts it and waits until it accepts connections. Throws `Unavailable` where the machine lacks what it needs. */
  start(bench: Bench, need: Need): Promise<RunningSubject>
}

export interface Need {
  /** Events that a newcomer wants to be sent before it is live (reconnect storm); 0: none. */
  replay: number
}

export interface RunningSubject extends AsyncDisposable {
  readonly port: number
  /** The processes whose time and memory count as the server's; their children count too. */
  readonly pids: readonly number[]
  readonly dialect: Dialect
}

/** The machine lacks something; the row is left out and the reason is printed. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable'
}

/** The path of a compiled program. Throws `Unavailable` with the reason. */
export function programPath(compiled: Compiled): string {
  if ('absent' in compiled) throw new Unavailable(compiled.absent)
  return compiled.path
}

/** A request, again and again. `{id}` in the body is a fresh UUIDv7 each time. */
export interface HttpRequest {
  readonly method: string
  readonly path: string
  /** Whole header lines. */
  readonly headers: readonly string[]
  readonly body: string
}

/** A server that answers HTTP requests. */
export interface HttpSubject {
  readonly name: string
  /** Starts it. Throws `Unavailable` where the machine lacks what it needs. */
  start(bench: Bench): Promise<RunningHttpSubject>
}

export interface RunningHttpSubject extends AsyncDisposable {
  readonly port: number
  readonly pids: readonly number[]
  readonly request: HttpRequest
  /** How many requests it keeps the events of; undefined where requests leave nothing behind. */
  readonly stored: (() => Promise<number>) | undefined
}

/** A program that appends and reports (see peers/append-loop.ts). */
export interface AppendSubject {
  readonly name: string
  /** Names of other append subjects. */
  readonly references: readonly string[]
  /** How many append to the stream at once. */
  readonly writers: number
  readonly script: URL
  /** Makes what the program connects to; an empty URL where it needs nothing. Throws `Unavailable`. */
  prepare(bench: Bench): Promise<AsyncDisposable & { readonly url: string }>
}

/** A server through which an agent asks and a person answers. */
export interface ApprovalSubject {
  readonly name: string
  /** Starts it. `session`: flags of peers/approval-load.ts, none where the peer only passes messages on. */
  start(bench: Bench): Promise<
    AsyncDisposable & {
      readonly port: number
      readonly pids: readonly number[]
      readonly session: Readonly<Record<string, string | number>>
    }
  >
}
