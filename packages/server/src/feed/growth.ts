import type { Clock } from '../machine/clock.ts'
import type { StreamFeed } from './stream-feed.ts'

/** Resolves when there is something after `seq`, when the wait is over, or when nobody waits any more. */
export function growthAfter(
  feed: StreamFeed,
  seq: number,
  { waitMs, clock, signal }: { waitMs: number; clock: Clock; signal: AbortSignal },
): Promise<void> {
  if (feed.head > seq || signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      leave()
      cancel()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const leave = feed.listen({ grown: done })
    const cancel = clock.after(waitMs, done)
    signal.addEventListener('abort', done)
  })
}
