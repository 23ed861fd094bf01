import { z } from 'zod'
import { errorCodes } from './error.ts'
import { Problem } from './problem.ts'

/** What an answer tells beside the position: of `lease.take`, `agent.report` and `ask.snooze`. */
export const AcceptedFacts = z.looseObject({
  /** The fence under which the runner speaks from now on. */
  fence: z.int().optional(),
  /** Events of the batch that were left out, by their place in it, and why. */
  dropped: z.array(z.looseObject({ index: z.int(), code: z.enum(errorCodes) })).optional(),
  /** When what was put aside comes back, RFC 3339, UTC. */
  until: z.string().optional(),
})
export type AcceptedFacts = z.infer<typeof AcceptedFacts>

/** The answer to a command. */
export const Accepted = AcceptedFacts.extend({ id: z.string(), seq: z.int(), cursor: z.string() })
export type Accepted = z.infer<typeof Accepted>

/** The answer to a command that changed nothing, in a `refused` frame. */
export const Refused = z.looseObject({ id: z.string(), problem: Problem })
export type Refused = z.infer<typeof Refused>
