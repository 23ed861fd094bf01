import { z } from 'zod'
import { defineEvent } from '../event.ts'
import { PolicyEffect, PolicyMatch } from '../policy.ts'
import { PolicyModeName } from '../policy-mode-schema.ts'
import { Risk } from '../risk.ts'
import { Id } from '../ids.ts'

/** The rules of a project or of the whole server, and the modes of a session. Their history is the stream: who said it, when, and who took it away. */
export const policyEvents = {
  /** It stands before the rule that it names, or in the place of the one that it replaces, or after all others. */
  'policy.rule_set': defineEvent(
    1,
    z.looseObject({
      rule: Id,
      effect: PolicyEffect,
      match: PolicyMatch,
      until: z.string().optional(),
      before: Id.optional(),
      replaces: Id.optional(),
    }),
    z.looseObject({ note: z.string().optional() }),
  ),
  /** It stands before this one from here on; null: after all others. */
  'policy.rule_moved': defineEvent(1, z.looseObject({ rule: Id, before: Id.nullable() })),
  'policy.rule_revoked': defineEvent(1, z.looseObject({ rule: Id })),
  /** How long people have from here on to answer an approval, or one of this risk; null: as long as where nobody has said anything of it. */
  'policy.timeout_set': defineEvent(1, z.looseObject({ approvalTimeoutMs: z.int().nullable(), risk: Risk.optional() })),
  /** In the stream of a session: what is not asked in it from here on. `until`: of `hands_free`, RFC 3339, UTC. */
  'policy.mode_set': defineEvent(1, z.looseObject({ mode: PolicyModeName, until: z.string().optional() })),
  /** Its time is over: everything is asked again. */
  'policy.mode_ended': defineEvent(1, z.looseObject({ mode: PolicyModeName })),
}
