import { kindOf, type Problem } from '@hotline/protocol/error'
import { waitBefore } from './backoff.ts'
import { systemClock } from './clock.ts'
import type { Link } from './link.ts'

/** Whether the same may go well later, without anybody changing anything. */
export function isPassing(why: Problem): boolean {
  const kind = kindOf(why.code)
  return kind === 'unavailable' || kind === 'rate-limited' || kind === 'internal'
}

/** Reads again what could not be read, with growing waits. */
export interface Retry extends Disposable {
  /** Tries again after a while, longer each time, or as soon as the connection is open again. */
  after(why: Problem): void
  /** It went well: the next wait is short again. */
  succeeded(): void
}

/** Repeats something that is read over HTTP while the server is away. */
export function openRetry(link: Link, again: () => void): Retry {
  let tries = 0
  let cancel = (): void => undefined
  return {
    after: (why) => {
      cancel()
      tries += 1
      const go = (): void => {
        cancel()
        again()
      }
      const cancelTimer = systemClock.after(waitBefore(tries, Math.random, why.retryAfterMs).waitMs, go)
      const leave = link.connection.watch(({ status }) => {
        if (status === 'open') go()
      })
      cancel = () => {
        cancelTimer()
        leave()
        cancel = () => undefined
      }
    },
    succeeded: () => {
      tries = 0
    },
    [Symbol.dispose]: () => cancel(),
  }
}
