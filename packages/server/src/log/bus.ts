import type { Appended } from './log-store.ts'

/** Told after a commit what is new. Delivery may fail or be late in a cluster: readers check positions and read the log. */
export interface Bus extends AsyncDisposable {
  publish(appended: readonly Appended[]): void
  /** `hear` is called in commit order for each stream and must not throw; the answer ends it. */
  subscribe(hear: (appended: Appended) => void): () => void
}
