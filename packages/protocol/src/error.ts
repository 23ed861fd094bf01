/**
 * The one error table. A code says exactly what went wrong and travels in every transport; its kind decides the HTTP
 * status, the WebSocket close code (where the whole connection is affected), the exit code of the command line and
 * whether trying again makes sense. Statuses are derived, never chosen by hand.
 */
export const errorKinds = {
  invalid: { status: 400, close: 4400 },
  unauthenticated: { status: 401, close: 4401 },
  forbidden: { status: 403, close: 4403 },
  'not-found': { status: 404, close: 4404 },
  conflict: { status: 409, close: 4409 },
  gone: { status: 410, close: 4410 },
  'too-large': { status: 413, close: 1009 },
  'media-type': { status: 415, close: 1003 },
  misdirected: { status: 421, close: 4421 },
  unsupported: { status: 422, close: 4422 },
  version: { status: 426, close: 4426 },
  'rate-limited': { status: 429, close: 4429 },
  internal: { status: 500, close: 1011 },
  unavailable: { status: 503, close: 4503 },
} as const

/** What sort of refusal it is: status, close code and exit code follow from it. */
export type ErrorKind = keyof typeof errorKinds

/** With which the command line ends, for each kind of refusal. */
export const exitCodes: Readonly<Record<ErrorKind, number>> = {
  invalid: 2,
  unauthenticated: 3,
  forbidden: 3,
  'not-found': 4,
  conflict: 5,
  gone: 4,
  'too-large': 2,
  'media-type': 2,
  misdirected: 2,
  unsupported: 5,
  version: 2,
  'rate-limited': 6,
  internal: 1,
  unavailable: 6,
}

/** Whether trying again makes sense, and when (docs/errors.md). */
export const retryRules: Readonly<Record<ErrorKind, string>> = {
  invalid: 'no',
  unauthenticated: 'after signing in',
  forbidden: 'no',
  'not-found': 'no',
  conflict: 'after reading again',
  gone: 'from the snapshot',
  'too-large': 'no',
  'media-type': 'no',
  misdirected: 'no',
  unsupported: 'no',
  version: 'no',
  'rate-limited': 'after retryAfterMs',
  internal: 'once',
  unavailable: 'with backoff, from the cursor',
}

/** The kind of every code, in the order of the documentation (docs/errors.md has a section for each). */
export const errors = {
  invalid_request: 'invalid',
  invalid_json: 'invalid',
  invalid_frame: 'invalid',
  message_empty: 'invalid',
  message_too_long: 'invalid',
  weak_password: 'invalid',
  unauthenticated: 'unauthenticated',
  wrong_credentials: 'unauthenticated',
  code_needed: 'unauthenticated',
  password_needed: 'unauthenticated',
  ticket_invalid: 'unauthenticated',
  forbidden: 'forbidden',
  origin_refused: 'forbidden',
  not_found: 'not-found',
  already_resolved: 'conflict',
  digest_mismatch: 'conflict',
  idempotency_mismatch: 'conflict',
  invalid_transition: 'conflict',
  not_queued: 'conflict',
  queue_full: 'conflict',
  must_wait: 'conflict',
  fenced: 'conflict',
  already_exists: 'conflict',
  keyboard_taken: 'conflict',
  ambiguous_name: 'conflict',
  last_owner: 'conflict',
  approval_expired: 'gone',
  bootstrap_closed: 'gone',
  invitation_over: 'gone',
  reset_over: 'gone',
  device_code_over: 'gone',
  cursor_gone: 'gone',
  too_large: 'too-large',
  media_type: 'media-type',
  host_refused: 'misdirected',
  unsupported: 'unsupported',
  version_not_spoken: 'version',
  rate_limited: 'rate-limited',
  internal: 'internal',
  log_damaged: 'internal',
  storage_unavailable: 'unavailable',
  too_slow: 'unavailable',
  draining: 'unavailable',
  unreachable: 'unavailable',
} as const satisfies Record<string, ErrorKind>

/** Why exactly something was refused. Codes travel; their meaning never changes. */
export type ErrorCode = keyof typeof errors

/** All of them, in the order of the table. */
export const errorCodes = Object.keys(errors) as [ErrorCode, ...ErrorCode[]]

/**
 * RFC 9457 problem details: the body of every refusal over HTTP and the object in every refusal frame. Further members
 * are facts that help (`by`, `seq`, `limit`, `issues`, `retryAfterMs`).
 */
export interface Problem {
  type: string
  title: string
  status: number
  code: ErrorCode
  detail: string
  retryAfterMs?: number | undefined
  [fact: string]: unknown
}

/** What every code says in a few words. */
export const errorTitles: Readonly<Record<ErrorCode, string>> = {
  invalid_request: 'The request is not valid',
  invalid_json: 'The body is not acceptable JSON',
  invalid_frame: 'The frame cannot be read',
  message_empty: 'A message needs text',
  message_too_long: 'The message is over the limit',
  weak_password: 'The password is too easy to guess',
  unauthenticated: 'Sign in first',
  wrong_credentials: 'Name or password is wrong',
  code_needed: 'The code of your second factor is needed',
  password_needed: 'Say your password again first',
  ticket_invalid: 'The ticket is unknown, used or too old',
  forbidden: 'Your role does not allow this',
  origin_refused: 'This origin is not on the list',
  not_found: 'There is nothing here under this name',
  already_resolved: 'Somebody has answered already',
  digest_mismatch: 'What was shown is not what would run',
  idempotency_mismatch: 'This command id was used for something else',
  invalid_transition: 'The session is not in a state that allows this',
  not_queued: 'The message is no longer waiting',
  queue_full: 'Too much is waiting already',
  must_wait: 'It has to wait for its turn',
  fenced: 'Another runner holds this session now',
  already_exists: 'This exists already',
  keyboard_taken: 'Somebody else has the keyboard',
  ambiguous_name: 'Several go by this name',
  last_owner: 'A project keeps at least one owner',
  approval_expired: 'The time for this answer has passed',
  bootstrap_closed: 'The first account exists, or the code is too old',
  invitation_over: 'The invitation was used, or is too old',
  reset_over: 'The link for a new password was used, or is too old',
  device_code_over: 'The code was used, or is too old',
  cursor_gone: 'The cursor does not belong to this log',
  too_large: 'Too large',
  media_type: 'Only application/json is spoken here',
  host_refused: 'This server does not answer to that host name',
  unsupported: 'This agent cannot do that',
  version_not_spoken: 'This version is not spoken here',
  rate_limited: 'Too many tries',
  internal: 'Something broke on our side',
  log_damaged: 'The log is damaged here',
  storage_unavailable: 'The log cannot be read or written now',
  too_slow: 'The reader did not keep up; come back with the cursor',
  draining: 'The server is going down; come back soon',
  unreachable: 'The server cannot be reached',
}

/** A problem as data. `detail` says what happened and what to do about it. */
export function problem(code: ErrorCode, detail: string, facts: Record<string, unknown> = {}): Problem {
  return { ...localProblem(code, detail, facts), title: errorTitles[code] }
}

/** The same for who brings no table of titles along: a client that says something of its own. */
export function localProblem(code: ErrorCode, detail: string, facts: Record<string, unknown> = {}): Problem {
  const { status } = errorKinds[errors[code]]
  return { ...facts, type: `urn:hotline:error:${code}`, title: code.replaceAll('_', ' '), status, code, detail }
}

/** The kind that a code belongs to. */
export function kindOf(code: ErrorCode): ErrorKind {
  return errors[code]
}

/** With which a WebSocket ends for this reason: that of the kind, but a slow reader is told apart from a server that is away. */
export function closeOf(code: ErrorCode): number {
  return code === 'too_slow' ? 4408 : errorKinds[kindOf(code)].close
}
