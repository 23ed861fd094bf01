import type { LogObserver } from './log-observer.ts'
import type { Append, AppendResult } from './log-store.ts'

/** A group of appends that waits for its transaction. */
export interface WaitingGroup {
  group: readonly Append[]
  /** How many events it has in all. */
  events: number
  resolve: (result: AppendResult) => void
  reject: (error: unknown) => void
}

/** Groups that may wait. Callers wait for their answers, so only a bug or an attack comes near. */
const maxWaiting = 50_000

/** Puts a group at the end of those that wait, and resolves to what becomes of it; refused where too many wait. */
export function enqueue(
  group: readonly Append[],
  waiting: WaitingGroup[],
  observer: LogObserver | undefined,
): Promise<AppendResult> {
  if (waiting.length >= maxWaiting) {
    return Promise.resolve({ ok: false, reason: 'unavailable', detail: 'too many appends are waiting' })
  }
  const events = group.reduce((sum, append) => sum + append.events.length, 0)
  return new Promise((resolve, reject) => {
    const answer = (result: AppendResult): void => {
      observer?.answered(result)
      resolve(result)
    }
    waiting.push({ group, events, resolve: answer, reject })
  })
}
