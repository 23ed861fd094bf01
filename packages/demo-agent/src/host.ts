import type { ChildProcess } from 'node:child_process'

/** What the engine may do to its own process. main.ts hands in the real one. */
export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Running programs of `run` steps; they are ended with the agent. What spawnChild left behind is not in here. */
  readonly children: Set<ChildProcess>
  writeStderr(text: string): void
  exit(code: number): void
  raise(signal: NodeJS.Signals): void
  /** From now on SIGTERM and the end of stdin do not end the process (for a bounded time). */
  refuseToEnd(): void
}
