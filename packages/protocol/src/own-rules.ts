import { z } from 'zod'
import { PolicyEffect } from './policy.ts'

/** A rule that an agent keeps itself, as it is written there. */
const OwnRule = z.strictObject({ effect: PolicyEffect, text: z.string().max(200) })

/**
 * What a person has written into an agent's own settings on a machine about what it asks: what these allow never comes to
 * Hotline, and what they deny neither. `more`: how many are not told.
 */
export const OwnRules = z.strictObject({
  /** The file or folder, with `~` for the home folder. */
  file: z.string().max(300),
  rules: z.array(OwnRule).max(100),
  more: z.int().min(0),
})
export type OwnRules = z.infer<typeof OwnRules>
