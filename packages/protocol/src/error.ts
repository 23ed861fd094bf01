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

interface ErrorEntry {
  kind: ErrorKind
  title: string
}

/** Every code, in the order of the documentation (docs/errors.md has a section for each). */
export const errors = {
  invalid_request: { kind: 'invalid', title: 'The request is not valid' },
  invalid_json: { kind: 'invalid', title: 'The body is not acceptable JSON' },
  invalid_frame: { kind: 'invalid', title: 'The frame cannot be read' },
  message_empty: { kind: 'invalid', title: 'A message needs text' },
  message_too_long: { kind: 'invalid', title: 'The message is over the limit' },
  weak_password: { kind: 'invalid', title: 'The password is too easy to guess' },
  unauthenticated: { kind: 'unauthenticated', title: 'Sign in first' },
  wrong_credentials: { kind: 'unauthenticated', title: 'Name or password is wrong' },
  code_needed: { kind: 'unauthenticated', title: 'The code of your second factor is needed' },
  password_needed: { kind: 'unauthenticated', title: 'Say your password again first' },
  ticket_invalid: { kind: 'unauthenticated', title: 'The ticket is unknown, used or too old' },
  forbidden: { kind: 'forbidden', title: 'Your role does not allow this' },
  origin_refused: { kind: 'forbidden', title: 'This origin is not on the list' },
  not_found: { kind: 'not-found', title: 'There is nothing here under this name' },
  already_resolved: { kind: 'conflict', title: 'Somebody has answered already' },
  digest_mismatch: { kind: 'conflict', title: 'What was shown is not what would run' },
  idempotency_mismatch: { kind: 'conflict', title: 'This command id was used for something else' },
  invalid_transition: { kind: 'conflict', title: 'The session is not in a state that allows this' },
  not_queued: { kind: 'conflict', title: 'The message is no longer waiting' },
  queue_full: { kind: 'conflict', title: 'Too much is waiting already' },
  must_wait: { kind: 'conflict', title: 'It has to wait for its turn' },
  fenced: { kind: 'conflict', title: 'Another runner holds this session now' },
  already_exists: { kind: 'conflict', title: 'This exists already' },
  keyboard_taken: { kind: 'conflict', title: 'Somebody else has the keyboard' },
  ambiguous_name: { kind: 'conflict', title: 'Several go by this name' },
  last_owner: { kind: 'conflict', title: 'A project keeps at least one owner' },
  approval_expired: { kind: 'gone', title: 'The time for this answer has passed' },
  bootstrap_closed: { kind: 'gone', title: 'The first account exists, or the code is too old' },
  invitation_over: { kind: 'gone', title: 'The invitation was used, or is too old' },
  reset_over: { kind: 'gone', title: 'The link for a new password was used, or is too old' },
  device_code_over: { kind: 'gone', title: 'The code was used, or is too old' },
  cursor_gone: { kind: 'gone', title: 'The cursor does not belong to this log' },
  too_large: { kind: 'too-large', title: 'Too large' },
  media_type: { kind: 'media-type', title: 'Only application/json is spoken here' },
  host_refused: { kind: 'misdirected', title: 'This server does not answer to that host name' },
  unsupported: { kind: 'unsupported', title: 'This agent cannot do that' },
  version_not_spoken: { kind: 'version', title: 'This version is not spoken here' },
  rate_limited: { kind: 'rate-limited', title: 'Too many tries' },
  internal: { kind: 'internal', title: 'Something broke on our side' },
  log_damaged: { kind: 'internal', title: 'The log is damaged here' },
  storage_unavailable: { kind: 'unavailable', title: 'The log cannot be read or written now' },
  too_slow: { kind: 'unavailable', title: 'The reader did not keep up; come back with the cursor' },
  draining: { kind: 'unavailable', title: 'The server is going down; come back soon' },
  unreachable: { kind: 'unavailable', title: 'The server cannot be reached' },
} as const satisfies Record<string, ErrorEntry>

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

/** A problem as data. `detail` says what happened and what to do about it. */
export function problem(code: ErrorCode, detail: string, facts: Record<string, unknown> = {}): Problem {
  const { kind, title } = errors[code]
  return { ...facts, type: `urn:hotline:error:${code}`, title, status: errorKinds[kind].status, code, detail }
}

/** The kind that a code belongs to. */
export function kindOf(code: ErrorCode): ErrorKind {
  return errors[code].kind
}

/** With which a WebSocket ends for this reason: that of the kind, but a slow reader is told apart from a server that is away. */
export function closeOf(code: ErrorCode): number {
  return code === 'too_slow' ? 4408 : errorKinds[kindOf(code)].close
}
