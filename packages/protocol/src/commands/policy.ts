import { z } from 'zod'
import { approvalTimeoutMs, PolicyEffect, PolicyRuleText } from '../policy.ts'
import { handsFreeMinutes } from '../policy-mode.ts'
import { Risk } from '../risk.ts'
import { Id } from '../ids.ts'

/** Rules of a project or of the whole server, sent to its stream, and what is not asked in one session, sent to the session's. */
export const policyCommands = {
  /**
   * The rule gets the id of the command. It stands before the one that it names, or in the place of the one that it replaces,
   * which is there no more; with neither of them after all others.
   */
  'policy.set_rule': PolicyRuleText.extend({ before: Id.optional(), replaces: Id.optional() }).refine(
    ({ before, replaces }) => before === undefined || replaces === undefined,
    'stands before a rule or replaces one, not both',
  ),
  /** It stands before this one then; null: after all others. */
  'policy.move_rule': z.strictObject({ rule: Id, before: Id.nullable() }),
  /** `effect`: of the rule as it was seen; to take away what asks or denies takes more. */
  'policy.revoke_rule': z.strictObject({ rule: Id, effect: PolicyEffect }),
  /**
   * How long people have to answer an approval, or where a risk is named, one of that risk; null: as long as where nobody has
   * said anything of it.
   */
  'policy.set_timeout': z.strictObject({
    risk: Risk.optional(),
    approvalTimeoutMs: z.int().min(approvalTimeoutMs.least).max(approvalTimeoutMs.most).nullable(),
  }),
  /** Takes the place of what was said before. */
  'policy.set_mode': z.discriminatedUnion('mode', [
    z.strictObject({ mode: z.literal('ask') }),
    z.strictObject({ mode: z.literal('edits_free') }),
    z.strictObject({
      mode: z.literal('hands_free'),
      minutes: z.int().min(1).max(handsFreeMinutes.most).default(handsFreeMinutes.usual),
    }),
  ]),
}
