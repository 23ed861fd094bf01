import type { Clock } from '../../machine/clock.ts'
import type { Channel, Delivered } from '../channel.ts'
import { signedHeaders } from './signature.ts'

/** A receiver that has not answered after this is tried again later. */
const answerMs = 10_000
/** The longest that a receiver may ask us to wait. */
const retryAfterMaxMs = 60 * 60_000

/** Where a webhook leads, and what it is signed with. */
export interface WebhookOptions {
  name: string
  /** Of the settings, checked there. */
  url: string
  secrets: readonly string[]
}

/**
 * A signed POST for each request, and one when it is over. It goes to the address of the settings and to no other: a redirect is
 * not followed, and of an answer the status alone is read.
 */
export function openWebhook({ name, url, secrets }: WebhookOptions, clock: Clock, waitMs: number = answerMs): Channel {
  async function post(key: string, type: string, data: object, signal: AbortSignal): Promise<Delivered> {
    const body = JSON.stringify({ type, timestamp: new Date(clock.wallMs()).toISOString(), data })
    const timeout = new AbortController()
    const cancel = clock.after(waitMs, () => timeout.abort())
    try {
      const response = await fetch(url, {
        method: 'POST',
        redirect: 'manual',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'hotline',
          ...signedHeaders(secrets, { id: key, atMs: clock.wallMs(), body }),
        },
        body,
        signal: AbortSignal.any([signal, timeout.signal]),
      })
      await response.body?.cancel()
      return deliveredBy(response)
    } catch (error) {
      return { failed: 'for now', why: timeout.signal.aborted ? 'it did not answer in time' : reasonOf(error) }
    } finally {
      cancel()
    }
  }
  return {
    name: `webhook:${name}`,
    target: new URL(url).host,
    deliver: ({ key, request }, signal) => post(key, 'permission-request', request, signal),
    withdraw: ({ key, ending, words }, signal) => post(key, 'permission-withdrawn', { ...ending, words }, signal),
  }
}

function deliveredBy({ status, headers }: Response): Delivered {
  if (status >= 200 && status < 300) return 'taken'
  const why = `it answered ${status}`
  if (status >= 300 && status < 400) return { failed: 'for good', why: `${why}, and redirects are not followed` }
  if (status < 500 && ![408, 425, 429].includes(status)) return { failed: 'for good', why }
  const seconds = Number(headers.get('retry-after') ?? '')
  const retryAfterMs = Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1_000, retryAfterMaxMs) : undefined
  return { failed: 'for now', why, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
}

/** Of a fetch that failed the cause says why. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  if (typeof cause === 'object' && cause !== null && 'code' in cause) return String(cause.code)
  return cause instanceof Error ? cause.message : 'it cannot be reached'
}
