import type { Exit } from '@hotline/protocol/events/session'
import type { TreeReach, TreeSample } from '@hotline/protocol/process-tree'
import type { Contained } from './containing.ts'
import type { Lasting } from './lasting.ts'

/** What to start. There is no shell: the first member is the program, already found, the others reach it as they are. */
export interface ProcessSpec {
  /** The session that it works for. */
  session: string
  argv: readonly string[]
  /** Absolute, and there. */
  cwd: string
  /** The whole environment. */
  env: Readonly<Record<string, string>>
  /** The mark of this run, which `env` carries too, see `process/environment`. */
  run: string
  /** `kernel`: such that the program can open them by name too, where the system has those. Node's own are sockets. */
  pipes?: 'kernel'
  /** Nothing is started where the kernel does not keep it together with all that it starts, or from what is behind its fence. */
  contain?: Contained | undefined
}

/** Characters of a terminal. */
export interface TerminalSize {
  cols: number
  rows: number
}

/** What became of stopping a tree, or of letting it go on: how many processes it has, or why not, in a sentence for people. */
export type Standstill = { done: true; processes: number } | { done: false; reason: string }

/** A process and all that it started, as far as `reach` says. */
export interface HeldTree {
  readonly reach: TreeReach
  /** Stops every process, and keeps it so until `thaw`, also those that are found later. */
  freeze(): Promise<Standstill>
  thaw(): Promise<Standstill>
  /** What the kernel says of it now; undefined where it cannot be asked. */
  sample(): Promise<TreeSample | undefined>
}

/** What every held process has. */
interface Held extends HeldTree {
  readonly pid: number
  /** RFC 3339. */
  readonly startedAt: string
  /** Bytes of its outputs that were read by an earlier life; absent: none. */
  readonly from?: { readonly out: number; readonly err: number }
  /** How the first process ended. It never rejects. */
  readonly exited: Promise<Exit>
  /**
   * Ends it and everything that it started: asks, waits `graceMs`, then kills. Resolves when nothing is left, to the pids
   * that the kernel still holds otherwise. Calls share one ending.
   */
  end(graceMs: number): Promise<readonly number[]>
}

/** What a process prints, in pieces as they come. For one reader, which sets the pace. */
export interface ByteSource extends AsyncIterable<Buffer> {
  /** Nothing more is read; the reader comes to an end. */
  destroy(): unknown
}

/** What goes into a process. */
export interface ByteSink {
  readonly writable: boolean
  /** Bytes that it has not taken yet. */
  readonly writableLength: number
  /** `done`: it has them, or never will. */
  write(bytes: Uint8Array | string, done: (error?: Error | null) => void): unknown
  /** Nothing more comes. */
  end(): unknown
  destroy(): unknown
}

/** A process with three pipes that never mix. */
export interface HeldProcess extends Held {
  readonly stdin: ByteSink
  readonly stdout: ByteSource
  readonly stderr: ByteSource
  /** To be called by whoever reads what it says line by line, when a piece is dealt with. */
  handled?(): void
  /** True while what it says is its past, gone through once more. */
  readonly isPast?: boolean
}

/** A process with a terminal. */
export interface HeldTerminal extends Held {
  write(bytes: Uint8Array): void
  resize(size: TerminalSize): void
  /** Stops reading, so that the program waits once the kernel's buffer is full. */
  pause(): void
  resume(): void
  /** Bytes as they come; one listener. */
  onBytes(hear: (bytes: Uint8Array) => void): void
}

/** A process that an earlier life left behind and that was ended now. */
export interface Reaped {
  session: string
  pid: number
}

/** Who owns the agents' processes: the runner itself in this step, later a process that outlives it. */
export interface Holder extends AsyncDisposable {
  /** Rejects with what the system says when the program cannot be started. */
  start(spec: ProcessSpec): Promise<HeldProcess>
  startTerminal(spec: ProcessSpec, size: TerminalSize): Promise<HeldTerminal>
  /** Ends what earlier lives left running; to be called before anything is started. */
  reap(): Promise<readonly Reaped[]>
  /** Absent where every process ends with this one. */
  readonly lasting?: Lasting
}
