import { request as requestHttp, type IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Clock } from './clock.ts'
import { isAllowed, outsideLookup, targetRefusal } from './outside-address.ts'
import { signedHeaders } from './webhook-signature.ts'

/** A receiver that has not answered after this is tried again later. */
const answerMs = 10_000
/** Of an answer no more than this is read, and nothing of it is kept. */
const answerBytesMax = 16 * 1024
const retryAfterMaxMs = 60 * 60_000

/** What became of a try. `why` names neither the address nor what the receiver said. `gone`: it wants nothing any more. */
export type OutsidePosted = 'taken' | { failed: 'for now' | 'gone'; why: string; retryAfterMs?: number }

/** One POST to an address that a member of a project wrote down. */
export interface OutsidePost {
  url: string
  secrets: readonly string[]
  /** The same each time that one thing is sent. */
  id: string
  body: string
}

/**
 * Posts to an address that is not trusted: what it says is looked at, and so is what its name leads to, in the moment of the connection.
 * No redirect is followed. Never rejects.
 */
export async function postOutside(
  { url, secrets, id, body }: OutsidePost,
  { clock, signal, targets }: { clock: Clock; signal: AbortSignal; targets: readonly string[] },
): Promise<OutsidePosted> {
  const refusal = targetRefusal(url, targets)
  if (refusal !== undefined) return { failed: 'for now', why: refusal }
  const to = new URL(url)
  const timeout = new AbortController()
  const cancel = clock.after(answerMs, () => timeout.abort())
  try {
    const response = await post(to, {
      headers: {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(body)),
        'user-agent': 'hotline',
        ...signedHeaders(secrets, { id, atMs: clock.wallMs(), body }),
      },
      body,
      signal: AbortSignal.any([signal, timeout.signal]),
      isAllowed: isAllowed(to, targets),
    })
    await readSome(response)
    return postedBy(response)
  } catch (error) {
    return { failed: 'for now', why: timeout.signal.aborted ? 'it did not answer in time' : reasonOf(error) }
  } finally {
    cancel()
  }
}

interface Sending {
  headers: Record<string, string>
  body: string
  signal: AbortSignal
  isAllowed: boolean
}

function post(to: URL, { headers, body, signal, isAllowed: isFree }: Sending): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const open = to.protocol === 'https:' ? requestHttps : requestHttp
    const guarded = isFree ? {} : { lookup: outsideLookup() }
    // A connection of its own: one that is kept would not be looked at again.
    const request = open(to, { method: 'POST', headers, signal, agent: false, ...guarded }, resolve)
    request.on('error', reject)
    request.end(body)
  })
}

/** Lets go of the connection after as much as an honest answer has. */
async function readSome(response: IncomingMessage): Promise<void> {
  let bytes = 0
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length
    if (bytes > answerBytesMax) break
  }
  response.destroy()
}

function postedBy({ statusCode = 0, headers }: IncomingMessage): OutsidePosted {
  if (statusCode >= 200 && statusCode < 300) return 'taken'
  const why = `it answered ${statusCode}`
  if (statusCode === 410) return { failed: 'gone', why }
  if (statusCode >= 300 && statusCode < 400) return { failed: 'for now', why: `${why}, and redirects are not followed` }
  const seconds = Number(headers['retry-after'] ?? '')
  const isAsked = Number.isFinite(seconds) && seconds > 0
  return { failed: 'for now', why, ...(isAsked ? { retryAfterMs: Math.min(seconds * 1_000, retryAfterMaxMs) } : {}) }
}

/** Codes alone: the text of an error has the address in it. */
function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'EINSIDE') return 'its name leads to an address that is not on the internet'
  return code === '' ? 'it cannot be reached' : `it cannot be reached (${code})`
}
