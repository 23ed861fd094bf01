import { type Problem, localProblem } from '@hotline/protocol/error'
import type { ServerFrame } from '@hotline/protocol/server-frame'

/** What a frame says about the end of its connection; undefined for one that says nothing of it. */
export function farewellOf(frame: ServerFrame): Problem | undefined {
  if (frame.t === 'problem') return frame.problem
  if (frame.t !== 'goodbye') return undefined
  const facts = frame.retryAfterMs === undefined ? {} : { retryAfterMs: frame.retryAfterMs }
  return localProblem('draining', 'The server is going down and comes back.', facts)
}
