import type { ErrorCode } from '@hotline/protocol/error'
import type { DeclaredRoute } from './route.ts'

/** What the rules of sessions, cards and projects say to a command. */
export const commandRefusals: readonly ErrorCode[] = [
  'message_empty',
  'message_too_long',
  'not_found',
  'already_resolved',
  'digest_mismatch',
  'idempotency_mismatch',
  'invalid_transition',
  'not_queued',
  'queue_full',
  'must_wait',
  'fenced',
  'already_exists',
  'keyboard_taken',
  'ambiguous_name',
  'last_owner',
  'approval_expired',
  'unsupported',
]

/** Every request may meet these: where it came from, how it is written, how many came, how the server stands. */
const everywhere: readonly ErrorCode[] = [
  'invalid_request',
  'origin_refused',
  'too_large',
  'media_type',
  'host_refused',
  'rate_limited',
  'internal',
  'log_damaged',
  'storage_unavailable',
  'draining',
]

/** All codes with which a route can refuse: those that follow from what it declares, and its own. */
export function refusalsOf(route: DeclaredRoute): ReadonlySet<ErrorCode> {
  const { method, permission, proof, params, refuses = [] } = route
  return new Set<ErrorCode>([
    ...everywhere,
    ...(method === 'GET' ? [] : (['invalid_json'] as const)),
    ...(permission === 'open' ? [] : (['unauthenticated', 'forbidden'] as const)),
    ...(proof === undefined ? [] : (['password_needed'] as const)),
    ...(params === undefined ? [] : (['not_found'] as const)),
    ...refuses,
  ])
}
