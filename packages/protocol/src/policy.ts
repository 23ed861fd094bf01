import { z } from 'zod'
import { Actor } from './actor.ts'
import { Digest } from './events/approval.ts'
import { Risk } from './risk.ts'
import { Id } from './stream.ts'

/** What a rule says of the requests that it is about. */
export const PolicyEffect = z.enum(['allow', 'ask', 'deny'])
export type PolicyEffect = z.infer<typeof PolicyEffect>

/** What a request would do. `plan`: the agent wants to begin what it has planned. `other`: nobody here knows. */
export const DeedKind = z.enum(['run', 'edit', 'read', 'fetch', 'plan', 'other'])
export type DeedKind = z.infer<typeof DeedKind>

/** Bounds of a rule. */
export const ruleLimits = { words: 64, wordChars: 1_000, pathChars: 1_000, noteChars: 500 } as const

const Text = z
  .string()
  .min(1)
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]*$/u, 'must have no control or invisible characters')

/** One word of a command: itself, or any one plain word that is neither an option nor leads out of the folder. */
export const TemplateWord = z.union([z.string().max(ruleLimits.wordChars), z.strictObject({ any: z.literal('word') })])
export type TemplateWord = z.infer<typeof TemplateWord>

/**
 * What a rule is about: all that is named must fit. There are no patterns. For `allow`, a command is the whole command and
 * a risk the highest; for `ask` and `deny`, a command is words that occur in it and a risk the lowest.
 */
export const PolicyMatch = z.strictObject({
  /** The name of a profile. */
  agent: Id.optional(),
  tool: Text.max(200).optional(),
  does: DeedKind.optional(),
  command: z.array(TemplateWord).min(1).max(ruleLimits.words).optional(),
  /** A file, or with a slash at its end a folder and all in it; from the folder of the session, unless it begins with a slash. */
  path: Text.max(ruleLimits.pathChars).optional(),
  /** Exactly this one. */
  host: Text.max(253).optional(),
  /** The SHA-256 of the exact input. */
  input: Digest.optional(),
  risk: Risk.optional(),
})
export type PolicyMatch = z.infer<typeof PolicyMatch>

/** What a person writes of a rule. */
export const PolicyRuleText = z.strictObject({
  effect: PolicyEffect,
  match: PolicyMatch,
  /** RFC 3339, UTC. From then on it is as if it were not there. Absent: until it is revoked. */
  until: z.iso.datetime().optional(),
  note: Text.max(ruleLimits.noteChars).optional(),
})
export type PolicyRuleText = z.infer<typeof PolicyRuleText>

/** The same with its name. */
export const PolicyRule = PolicyRuleText.extend({ rule: Id })
export type PolicyRule = z.infer<typeof PolicyRule>

/** How short and how long people may have to answer an approval, in milliseconds. */
export const approvalTimeoutMs = { least: 60_000, most: 30 * 24 * 60 * 60 * 1_000 } as const

/** `GET /api/projects/:id/policy`: the rules in their order, how long people have to answer, and what their writers may not have meant. */
export const PolicyPage = z.object({
  rules: z.array(PolicyRule.extend({ by: Actor, at: z.string() })).readonly(),
  /** Where neither the session nor its agent has another time. */
  approvalTimeoutMs: z.int(),
  warnings: z.array(z.object({ rule: z.string(), with: z.string().optional(), why: z.string() })).readonly(),
})
export type PolicyPage = z.infer<typeof PolicyPage>
