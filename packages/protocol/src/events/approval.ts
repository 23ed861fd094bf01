import { z } from 'zod'
import { Actor } from '../actor.ts'
import { defineEvent } from '../event.ts'
import { PolicyModeName } from '../policy-mode-schema.ts'
import { Risk } from '../risk.ts'
import { Id } from '../ids.ts'

/** Hex SHA-256. */
export const Digest = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hex')

/** What a person may say to a request; `modify` allows another input. */
export const Verdict = z.enum(['allow', 'deny', 'modify'])
export type Verdict = z.infer<typeof Verdict>

/** How far an allowance reaches. */
export const Scope = z.enum(['once', 'session', 'project'])
export type Scope = z.infer<typeof Scope>
/** What an answer really controls: the bytes that run, a sandboxed run, the agent's goodwill, or nothing. */
export const Strength = z.enum(['enforced', 'mediated', 'advisory', 'observe_only'])
export type Strength = z.infer<typeof Strength>

/** What became of a request. */
export const ApprovalOutcome = z.enum(['allowed', 'allowed_modified', 'denied', 'timed_out', 'cancelled'])
export type ApprovalOutcome = z.infer<typeof ApprovalOutcome>

const OfApproval = z.looseObject({ approval: Id })

/** Exactly what was asked, frozen. The digest of the request covers all of it (core/approval-digest). */
export const ApprovalRequest = z.looseObject({
  tool: z.string(),
  title: z.string(),
  /** The exact bytes that will run, as UTF-8 text: what is shown, signed for and compared. Absent where `content` is. */
  input: z.string().optional(),
  /** The same where it is longer than an event should be: it lies under its digest (`GET /api/sessions/:id/content/:digest`). */
  content: z.looseObject({ digest: Digest, bytes: z.number().int().min(0) }).optional(),
  cwd: z.string().optional(),
  envNames: z.array(z.string()).optional(),
  /** The agent's own words about it; shown apart from what runs. */
  reason: z.string().optional(),
  /** What would not be asked any more if it is allowed for longer than once, in words. */
  lasting: z.string().optional(),
  /** True where it is a plan of the agent, as its text: going ahead with it runs nothing by itself. Said by an adapter, by no agent. */
  plan: z.literal(true).optional(),
  /** True where a secret that we handed out was masked in `input`. */
  redacted: z.boolean().optional(),
  changes: z.array(z.looseObject({ path: z.string(), newText: z.string() })).optional(),
  /** Its folder and the paths that it names, by the files that they led to on the machine when it was asked. */
  opened: z.record(z.string(), z.string()).optional(),
})
export type ApprovalRequest = z.infer<typeof ApprovalRequest>

/** What an agent asks, until it knows the answer. */
export const approvalEvents = {
  'approval.requested': defineEvent(
    1,
    z.looseObject({
      approval: Id,
      step: Id.optional(),
      turn: Id.optional(),
      digest: Digest,
      /** The part of the digest that an edit of the input leaves as it is (core/approval-digest). */
      contextDigest: Digest,
      verdicts: z.array(Verdict),
      scopes: z.array(Scope),
      strength: Strength,
      /** As the server sees it; absent where it did not look. */
      risk: Risk.optional(),
      expiresAt: z.string(),
      onTimeout: z.literal('deny'),
      /**
       * So many are open already that it waits for its turn: nobody can decide it, and its time begins with `approval.opened`.
       * Until then `expiresAt` counts only where `agentUntil` says the same.
       */
      queued: z.literal(true).optional(),
      /** Nothing is said to the agent after this, because it waits no longer: a shorter time than a person would have had. */
      agentUntil: z.string().optional(),
      /** The runner itself asks, for trust in the settings that a folder brings: the digest of its input, by which it is known. */
      trusts: Digest.optional(),
    }),
    ApprovalRequest,
  ),
  'approval.resolved': defineEvent(
    1,
    z.looseObject({
      approval: Id,
      /** Of the request that the person saw. */
      digest: Digest,
      outcome: z.enum(['allowed', 'allowed_modified', 'denied']),
      scope: Scope,
      /** Of the changed input, for `allowed_modified`. */
      modifiedDigest: Digest.optional(),
      /** The rule that gave the answer, where no person did. */
      rule: Id.optional(),
      /** Absent: the rule is one of the project. */
      ruleOf: z.literal('server').optional(),
      /** The mode of the session that gave it, and who had said so. */
      mode: z.looseObject({ mode: PolicyModeName, by: Actor }).optional(),
    }),
    z.looseObject({ reason: z.string().optional(), input: z.string().optional() }),
  ),
  /**
   * More time to answer. Nobody's time runs while the session is paused (absent, or `paused`) or while the server was away; and a
   * person may ask for more.
   */
  'approval.extended': defineEvent(
    1,
    z.looseObject({ approval: Id, expiresAt: z.string(), why: z.enum(['paused', 'away', 'asked']).optional() }),
  ),
  /** It has waited behind others, and from now on a person can decide it. */
  'approval.opened': defineEvent(1, z.looseObject({ approval: Id, expiresAt: z.string() })),
  /** So many wait already that it was not taken, and the agent was told so at once. No person has seen it. */
  'approval.refused': defineEvent(
    1,
    z.looseObject({ approval: Id, reason: z.literal('queue_full'), limit: z.int() }),
    z.looseObject({ tool: z.string(), title: z.string() }),
  ),
  'approval.timed_out': defineEvent(1, OfApproval),
  'approval.cancelled': defineEvent(
    1,
    z.looseObject({ approval: Id, reason: z.enum(['agent_withdrew', 'turn_ended', 'session_ended', 'agent_lost']) }),
  ),
  /**
   * Somebody has taken back that it was allowed. Its runner hands over no answer of which it knows that, and says so with
   * `dispatch_refused`; where it has handed it over before, it says `dispatched`, and that was first.
   */
  'approval.recalled': defineEvent(1, OfApproval),
  /** The runner handed the answer to the agent. */
  'approval.dispatched': defineEvent(1, z.looseObject({ approval: Id, digest: Digest.optional() })),
  'approval.dispatch_refused': defineEvent(
    1,
    z.looseObject({ approval: Id, reason: z.enum(['digest_mismatch', 'stale', 'unsupported', 'recalled']) }),
  ),
  'approval.dispatch_unknown': defineEvent(1, OfApproval),
  'question.asked': defineEvent(
    1,
    z.looseObject({ question: Id, turn: Id.optional() }),
    z.looseObject({ text: z.string(), schema: z.looseObject({}).optional() }),
  ),
  'question.answered': defineEvent(
    1,
    z.looseObject({ question: Id, action: z.enum(['accept', 'decline', 'cancel']) }),
    z.looseObject({ content: z.unknown().optional() }),
  ),
  'question.withdrawn': defineEvent(
    1,
    z.looseObject({ question: Id, reason: z.enum(['agent_withdrew', 'turn_ended', 'session_ended', 'agent_lost']) }),
  ),
}
