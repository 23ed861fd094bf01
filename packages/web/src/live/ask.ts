import { httpRequest } from '@hotline/client/http-request'

/** A request before there is a connection: signing in, and who is signed in. */
export function ask<R>(method: 'GET' | 'POST', path: string, body?: unknown): ReturnType<typeof httpRequest<R>> {
  return httpRequest<R>(location.origin, { kind: 'cookie' }, method, path, body)
}
