import { z } from 'zod'
import { Actor } from './actor.ts'
import { Digest } from './events/approval.ts'
import { Risk } from './risk.ts'
import { Id } from './ids.ts'

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

/** A rule where it counts for a project. `of`: absent where it is the project's own. */
export const HeldRule = PolicyRule.extend({ of: z.literal('server').optional() })
export type HeldRule = z.infer<typeof HeldRule>

/** How short and how long people may have to answer an approval, in milliseconds. */
export const approvalTimeoutMs = { least: 60_000, most: 30 * 24 * 60 * 60 * 1_000 } as const

/** How long people have to answer, in milliseconds: `usual`, and by risk where something else was said of it. */
export const ApprovalTimeouts = z.object({
  usual: z.int().optional(),
  low: z.int().optional(),
  medium: z.int().optional(),
  high: z.int().optional(),
})
export type ApprovalTimeouts = z.infer<typeof ApprovalTimeouts>

/**
 * `GET /api/projects/:id/policy` and `GET /api/policy`: the rules in their order, of a project those of the server before its own,
 * each with those that it replaced, newest first;
 * how long people have to answer; and what the writers of the rules may not have meant.
 */
export const PolicyPage = z.object({
  rules: z
    .array(HeldRule.extend({ by: Actor, at: z.string(), replaced: z.array(Id).readonly().optional() }))
    .readonly(),
  /** Where neither the session nor its agent has another time, and nothing else is said of the risk. */
  approvalTimeoutMs: z.int(),
  /** What was said here, and what counts for each risk. Absent: the server knows none by risk. */
  timeouts: z
    .object({ said: ApprovalTimeouts, counts: z.object({ low: z.int(), medium: z.int(), high: z.int() }) })
    .optional(),
  warnings: z.array(z.object({ rule: z.string(), with: z.string().optional(), why: z.string() })).readonly(),
})
export type PolicyPage = z.infer<typeof PolicyPage>
