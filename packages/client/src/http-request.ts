import { Problem, problem } from '@hotline/protocol/error'

export type Credential = { kind: 'token'; token: string } | { kind: 'cookie' }
export type Answer<R> = { ok: true; value: R } | { ok: false; problem: Problem }

/** One request of the HTTP API. Whatever goes wrong is a problem; it never rejects. */
export async function httpRequest<R>(
  base: string,
  credential: Credential,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<Answer<R>> {
  try {
    const response = await fetch(new URL(path, base), {
      method,
      credentials: 'same-origin',
      headers: {
        ...(credential.kind === 'token' ? { authorization: `Bearer ${credential.token}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const value: unknown = text === '' ? undefined : JSON.parse(text)
    if (response.ok) return { ok: true, value: value as R }
    const said = Problem.safeParse(value)
    return {
      ok: false,
      problem: said.success ? said.data : problem('internal', `The server answered ${response.status}.`),
    }
  } catch {
    return { ok: false, problem: problem('unreachable', 'The server cannot be reached. Nothing is lost; try again.') }
  }
}
