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
  const signal = AbortSignal.timeout(requestTimeoutMs)
  const opened = await openRequest(base, credential, { method, path, body, signal })
  if (!opened.ok) return opened
  try {
    const text = await opened.value.text()
    const value = readJson(text)
    return value === undefined && text !== '' ? somethingElse() : { ok: true, value: value as R }
  } catch {
    // `fetch` says no more than "failed".
    return { ok: false, problem: unreachable() }
  }
}

/** The same where the answer is read as it comes: reading it may reject. A body that is a `Blob` is sent as it is. */
export async function openRequest(
  base: string,
  credential: Credential,
  { method, path, body, signal }: { method: Method; path: string; body?: unknown; signal: AbortSignal },
): Promise<Answer<Response>> {
  const token = credential.kind === 'token' ? credential : undefined
  const isFile = body instanceof Blob
  try {
    const response = await fetch(new URL(path, base), {
      method,
      credentials: 'same-origin',
      headers: {
        ...(token && { authorization: `Bearer ${token.token}` }),
        ...(token?.client !== undefined && { 'hotline-client': token.client }),
        ...(body !== undefined && { 'content-type': `application/${isFile ? 'octet-stream' : 'json'}` }),
      },
      signal,
      ...(body !== undefined && { body: isFile ? body : JSON.stringify(body) }),
    })
    if (response.ok) return { ok: true, value: response }
    const said = readJson(await response.text())
    return { ok: false, problem: problemOfResponse(response.status, said, response.headers.get('retry-after')) }
  } catch {
    // `fetch` says no more than "failed".
    return { ok: false, problem: unreachable() }
  }
}

/** A success that is not what it should be comes from something between us and the server (the sign-in page of a network). */
export function somethingElse(): { ok: false; problem: Problem } {
  return { ok: false, problem: unreachable('Something else than the server answered.') }
}
