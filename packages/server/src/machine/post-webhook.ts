import type { Clock } from './clock.ts'
import { signedHeaders } from './webhook-signature.ts'

/** A receiver that has not answered after this is tried again later. */
const answerMs = 10_000
/** The longest that a receiver may ask us to wait. */
const retryAfterMaxMs = 60 * 60_000

/** What became of a try: taken; not now, so that it is tried again; or never, whatever is done. */
export type Posted = 'taken' | { failed: 'for now' | 'for good'; why: string; retryAfterMs?: number }

/** One POST. */
export interface WebhookPost {
  /** Of the settings, checked there (`config/webhook-target.ts`). */
  url: string
  /** None: it is not signed as a whole. */
  secrets: readonly string[]
  /** The same each time that one thing is sent. */
  id: string
  contentType: string
  body: string
}

/**
 * Posts to the address of the settings and to no other: a redirect is not followed, and of an answer the status alone is read.
 * Never rejects, and says no address in what it says: it may be a secret.
 */
export async function postWebhook(
  { url, secrets, id, contentType, body }: WebhookPost,
  { clock, signal, waitMs = answerMs }: { clock: Clock; signal: AbortSignal; waitMs?: number | undefined },
): Promise<Posted> {
  const timeout = new AbortController()
  const cancel = clock.after(waitMs, () => timeout.abort())
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        'content-type': contentType,
        'user-agent': 'hotline',
        ...signedHeaders(secrets, { id, atMs: clock.wallMs(), body }),
      },
      body,
      signal: AbortSignal.any([signal, timeout.signal]),
    })
    await response.body?.cancel()
    return postedBy(response)
  } catch (error) {
    return { failed: 'for now', why: timeout.signal.aborted ? 'it did not answer in time' : reasonOf(error) }
  } finally {
    cancel()
  }
}

function postedBy({ status, headers }: Response): Posted {
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
