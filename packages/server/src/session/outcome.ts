import type { Accepted } from '@hotline/protocol/command-answer'
import { type Problem, problem } from '@hotline/protocol/error'

/** The answer to a command: once accepted it is on disk. */
export type CommandOutcome = { ok: true; accepted: Accepted } | { ok: false; problem: Problem }

/** The answer about what is not there, and about what somebody may not know to be there: the two must look the same. */
export function nothingHere(): Problem {
  return problem('not_found', 'There is nothing here under this name, or it is not yours to see.')
}
