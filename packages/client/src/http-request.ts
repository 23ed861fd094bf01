import type { Problem } from '@hotline/protocol/error'
import { problemOfResponse, unreachable } from './problem-of.ts'
import { readJson } from './read-json.ts'

/**
 * A personal token or a key, or the cookie of the page that runs this. `client`: what the program says that it is, for the log.
 */
export type Credential = { kind: 'token'; token: string; client?: string } | { kind: 'cookie' }

/** Methods that the API has. */
export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/** What came of a request; a refusal is a value. */
export type Answer<R> = { ok: true; value: R } | { ok: false; problem: Problem }

/** A request without an answer after this counts as lost; what it asked for may have been done. */
const requestTimeoutMs = 30_000

/** One request of the HTTP API. Whatever goes wrong is a problem; it never rejects. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the answer's type
export async function httpRequest<R>(
  base: string,
  credential: Credential,
  method: Method,
  path: string,
  body?: unknown,
): Promise<Answer<R>> {
  try {
    const response = await fetch(new URL(path, base), {
      method,
      credentials: 'same-origin',
      headers: {
        ...(credential.kind === 'token' ? { authorization: `Bearer ${credential.token}` } : {}),
        ...(credential.kind === 'token' && credential.client !== undefined
          ? { 'hotline-client': credential.client }
          : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      signal: AbortSignal.timeout(requestTimeoutMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const value = readJson(text)
    if (!response.ok) {
      return { ok: false, problem: problemOfResponse(response.status, value, response.headers.get('retry-after')) }
    }
    // A success that is no JSON comes from something between us and the server (the sign-in page of a network).
    if (value === undefined && text !== '')
      return { ok: false, problem: unreachable('Something else than the server answered.') }
    return { ok: true, value: value as R }
  } catch {
    // `fetch` says no more than "failed".
    return { ok: false, problem: unreachable() }
  }
}
