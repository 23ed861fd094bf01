import { type ErrorCode, type Problem, localProblem } from '@hotline/protocol/error'
import { readProblem } from './read-frame.ts'

/** What a status means where the body is not a problem of ours: a proxy has answered, or something that is no server. */
const codeOfStatus: Record<number, ErrorCode> = {
  400: 'invalid_request',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  413: 'too_large',
  415: 'media_type',
  421: 'host_refused',
  426: 'version_not_spoken',
  429: 'rate_limited',
  502: 'unreachable',
  503: 'unreachable',
  504: 'unreachable',
}

/** The network failed, or nobody answered in time. */
export function unreachable(detail = 'The server cannot be reached.'): Problem {
  return localProblem('unreachable', detail)
}

/** The problem behind an HTTP answer that is not a success. */
export function problemOfResponse(status: number, body: unknown, retryAfter: string | null): Problem {
  const said = readProblem(body)
  if (said) return said
  const seconds = Number(retryAfter ?? Number.NaN)
  const facts = Number.isFinite(seconds) && seconds >= 0 ? { retryAfterMs: seconds * 1_000 } : {}
  const code = codeOfStatus[status] ?? 'internal'
  return localProblem(code, `The answer was ${status}, without a reason that Hotline knows.`, facts)
}

/** What the end of a socket means where no frame said why. */
export function problemOfClose(code: number): Problem {
  if (code === 4401) return localProblem('unauthenticated', 'The credential is not valid. Sign in again.')
  if (code === 4426) return localProblem('version_not_spoken', 'This server speaks another version. Reload, or update.')
  if (code === 4429) return localProblem('rate_limited', 'Too much at once; slowing down.')
  if (code === 4408) return localProblem('too_slow', 'The connection was too slow; going on from the last event.')
  if (code === 4503) return localProblem('draining', 'The server is going down and comes back.')
  return unreachable('The connection was lost.')
}
