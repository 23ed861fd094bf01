import { inspect } from 'node:util'
import { setTimeout as pause } from 'node:timers/promises'

/** How long and for what `waitFor` waits. */
export interface WaitOptions {
  /** What is waited for, as the end of "waited 5000 ms for …". */
  what: string
  /** After this long it gives up and throws; 30,000 ms when absent. */
  deadlineMs?: number
  /** Time between two looks; 20 ms when absent. */
  everyMs?: number
  /** Ends the wait early with the signal's reason. */
  signal?: AbortSignal
}

/** What a condition gives while it does not hold yet. */
export type NotYet = false | undefined | null | 0 | ''

/** A limit for one test's patience: long enough for a busy machine with two cores. */
const defaultDeadlineMs = 30_000

type Look<T> = { kind: 'value'; value: T } | { kind: 'error'; error: unknown } | { kind: 'pending' }

function describeLook(look: Look<unknown>): string {
  if (look.kind === 'pending') return 'the condition itself had not answered'
  if (look.kind === 'value') return `last value: ${inspect(look.value, { depth: 3, maxStringLength: 500 })}`
  return `last error: ${look.error instanceof Error ? look.error.message : inspect(look.error)}`
}

/**
 * Looks again and again until the condition gives something truthy, and returns that. A condition that throws
 * counts as "not yet". Throws an Error that names what was waited for and the last value or error (as its `cause`)
 * when the deadline passes, also when the condition itself hangs.
 */
export async function waitFor<T>(condition: () => T | Promise<T>, options: WaitOptions): Promise<Exclude<T, NotYet>> {
  const { what, deadlineMs = defaultDeadlineMs, everyMs = 20, signal } = options
  const timer = new AbortController()
  let last: Look<T> = { kind: 'pending' }
  const ended = pause(deadlineMs, 'deadline' as const, {
    signal: signal === undefined ? timer.signal : AbortSignal.any([timer.signal, signal]),
  })
  // Whoever waits below sees the rejection; this keeps it from being reported a second time as unhandled.
  ended.catch(() => 'handled where it is awaited')
  try {
    for (;;) {
      signal?.throwIfAborted()
      const look = Promise.resolve()
        .then(condition)
        .then(
          (value): Look<T> => ({ kind: 'value', value }),
          (error: unknown): Look<T> => ({ kind: 'error', error }),
        )
      const seen = await Promise.race([look, ended])
      if (seen !== 'deadline') {
        last = seen
        if (seen.kind === 'value' && Boolean(seen.value)) return seen.value as Exclude<T, NotYet>
      }
      if (seen === 'deadline') {
        throw new Error(`waited ${deadlineMs} ms for ${what}; ${describeLook(last)}`, {
          cause: last.kind === 'error' ? last.error : undefined,
        })
      }
      await pause(everyMs, undefined, signal === undefined ? {} : { signal })
    }
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : error
  } finally {
    timer.abort()
  }
}
