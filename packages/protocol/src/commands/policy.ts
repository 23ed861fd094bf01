import { z } from 'zod'
import { PolicyEffect, PolicyRuleText } from '../policy.ts'
import { Id } from '../stream.ts'

/** Rules of a project, sent to its stream. */
export const policyCommands = {
  /** The rule gets the id of the command. Absent `before`: after all others. */
  'policy.set_rule': PolicyRuleText.extend({ before: Id.optional() }),
  /** `effect`: of the rule as it was seen; to take away what asks or denies takes more. */
  'policy.revoke_rule': z.strictObject({ rule: Id, effect: PolicyEffect }),
}
