import type { AppendResult } from './log-store.ts'

/** Told of what the log does, for the metrics. Must not throw. */
export interface LogObserver {
  /** A transaction is on the disk; it took so long, its sync included. */
  committed(durationMs: number): void
  /** What became of one append. */
  answered(result: AppendResult): void
}

/** Where nobody wants to know. */
export const unobserved: LogObserver = { committed: () => undefined, answered: () => undefined }
