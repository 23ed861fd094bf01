import { problemOfClose, problemOfResponse } from '@hotline/client/problem-of'
import { problem } from '@hotline/protocol/error'
import { describe, expect, it } from 'vitest'

describe('what an answer means that is no success', () => {
  it('[C2] a problem of the server is passed on as it is, with what it knows beside', () => {
    const said = problem('already_resolved', 'Dana was first.', { by: { kind: 'person', id: 'dana' } })
    expect(problemOfResponse(409, said, null)).toEqual(said)
  })

  it.each([
    [401, 'unauthenticated'],
    [404, 'not_found'],
    [413, 'too_large'],
    [429, 'rate_limited'],
    [502, 'unreachable'],
    [503, 'unreachable'],
    [504, 'unreachable'],
    [418, 'internal'],
    [500, 'internal'],
  ] as const)('[C2] %i from something in between is %s', (status, code) => {
    expect(problemOfResponse(status, '<html>', null).code).toBe(code)
    expect(problemOfResponse(status, undefined, '3')).toMatchObject({ code, retryAfterMs: 3_000 })
    expect(problemOfResponse(status, { code: 'no code of ours' }, 'Fri, 01 Jan 2027 00:00:00 GMT').retryAfterMs).toBe(
      undefined,
    )
  })

  it.each([
    [4401, 'unauthenticated'],
    [4426, 'version_not_spoken'],
    [4429, 'rate_limited'],
    [4408, 'too_slow'],
    [4503, 'draining'],
    [1006, 'unreachable'],
    [1011, 'unreachable'],
  ] as const)('[C2] a socket that ends with %i means %s', (close, code) => {
    expect(problemOfClose(close).code).toBe(code)
  })
})
