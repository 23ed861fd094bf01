import { z } from 'zod'
import { Digest, Scope, Verdict } from '../events/approval.ts'
import { Id } from '../ids.ts'

/** Answers of people to what an agent asks. */
export const approvalCommands = {
  /** `digest` is that of the request as it was shown; it must be the one that is stored. */
  'approval.decide': z.strictObject({
    approval: Id,
    digest: Digest,
    verdict: Verdict,
    scope: Scope.default('once'),
    /** The changed input, for `modify`. */
    input: z
      .string()
      .max(256 * 1024)
      .optional(),
    reason: z.string().max(2_000).optional(),
  }),
  /** More time to answer: until then, which is later than now stands and at most thirty days away. */
  'approval.extend': z.strictObject({ approval: Id, until: z.iso.datetime() }),
  /** Takes back that it was allowed, while the agent does not have the answer. */
  'approval.recall': z.strictObject({ approval: Id }),
  'question.answer': z.strictObject({
    question: Id,
    action: z.enum(['accept', 'decline', 'cancel']),
    content: z.unknown().optional(),
  }),
}
