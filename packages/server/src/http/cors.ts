/**
 * What pages from elsewhere are told (the Fetch standard, CORS protocol), those whose origins the operator named. They bring a token of
 * their own: `Access-Control-Allow-Credentials` is never said, so that a browser keeps what it does not have from them.
 */
export function corsHeaders(origin: string): Record<string, string> {
  return {
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'ETag, Retry-After, Content-Disposition',
    vary: 'Origin',
  }
}

/** The answer to the question whether a request may be sent. */
export const preflightHeaders: Readonly<Record<string, string>> = {
  'access-control-allow-methods': 'GET, POST, PUT, DELETE',
  'access-control-allow-headers':
    'Authorization, Content-Type, Accept, Idempotency-Key, If-None-Match, Last-Event-ID, Hotline-Client',
  'access-control-max-age': '600',
}
