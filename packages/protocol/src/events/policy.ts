import { z } from 'zod'
import { defineEvent } from '../event.ts'
import { PolicyEffect, PolicyMatch } from '../policy.ts'
import { Id } from '../stream.ts'

/** The rules of a project. Their history is the stream: who wrote each, when, and who took it away. */
export const policyEvents = {
  /** It stands before the rule that it names, or after all others. */
  'policy.rule_set': defineEvent(
    1,
    z.looseObject({
      rule: Id,
      effect: PolicyEffect,
      match: PolicyMatch,
      until: z.string().optional(),
      before: Id.optional(),
    }),
    z.looseObject({ note: z.string().optional() }),
  ),
  'policy.rule_revoked': defineEvent(1, z.looseObject({ rule: Id })),
}
