import { type Problem, problem } from '@hotline/protocol/error'
import type { Known } from '../../gate/reception.ts'

/** When those who are sent away by a server that goes down may come back. */
export const comeBackMs = 1_000

/** Somebody who wants to follow streams without a socket. */
export interface FollowRequest {
  known: Known
  follows: readonly { stream: string; after: string; without?: 'output' | undefined }[]
  /** Aborted when the client has gone or the server goes down. */
  signal: AbortSignal
}

export function goingDown(): Problem {
  return problem('draining', 'The server is going down. Come back in a moment.', { retryAfterMs: comeBackMs })
}
