import { z } from 'zod'
import { Actor } from './actor.ts'
import type { EventType } from './events.ts'
import { isKnownType } from './known-event.ts'
import { Id } from './ids.ts'

/**
 * What the audit is about. `decision`: what people allowed, denied, answered and reviewed. `control`: what was done to agents.
 * `rule`: rules, modes and trust. `access`: members, accounts, sign-ins and keys.
 */
export const auditGroups = ['decision', 'control', 'rule', 'access'] as const
export const AuditGroup = z.enum(auditGroups)
export type AuditGroup = z.infer<typeof AuditGroup>

/** Events that the audit keeps an index of. One that is added needs a step of the schema, which finds the older ones. */
export const auditedTypes = {
  'approval.requested': 'decision',
  'approval.refused': 'decision',
  'approval.resolved': 'decision',
  'approval.extended': 'decision',
  'approval.timed_out': 'decision',
  'approval.cancelled': 'decision',
  'approval.recalled': 'decision',
  'approval.dispatched': 'decision',
  'approval.dispatch_refused': 'decision',
  'approval.dispatch_unknown': 'decision',
  'question.asked': 'decision',
  'question.answered': 'decision',
  'question.withdrawn': 'decision',
  'draft.reviewed': 'decision',
  'draft.resolved': 'decision',
  'draft.dropped': 'decision',
  'goal.completed': 'decision',
  'session.created': 'control',
  'session.state_changed': 'control',
  'session.taken_over': 'control',
  'control.requested': 'control',
  'control.escalated': 'control',
  'control.done': 'control',
  'control.failed': 'control',
  'budget.changed': 'control',
  'budget.exhausted': 'control',
  'undo.approved': 'control',
  'undo.dropped': 'control',
  'checkpoint.restored': 'control',
  'terminal.taken': 'control',
  'content.erased': 'control',
  'policy.rule_set': 'rule',
  'policy.rule_moved': 'rule',
  'policy.rule_revoked': 'rule',
  'policy.timeout_set': 'rule',
  'policy.mode_set': 'rule',
  'policy.mode_ended': 'rule',
  'folder.trusted': 'rule',
  'folder.distrusted': 'rule',
  'webhook.added': 'access',
  'webhook.changed': 'access',
  'webhook.removed': 'access',
  'webhook.rotated': 'access',
  'webhook.disabled': 'access',
  'project.created': 'access',
  'project.renamed': 'access',
  'project.sessions_limited': 'access',
  'member.added': 'access',
  'member.changed': 'access',
  'member.removed': 'access',
  'account.created': 'access',
  'account.disabled': 'access',
  'account.enabled': 'access',
  'account.password_changed': 'access',
  'account.signed_out': 'access',
  'account.signed_in': 'access',
  'account.locked': 'access',
  'account.second_factor_added': 'access',
  'account.second_factor_removed': 'access',
  'account.recovery_code_used': 'access',
  'key.created': 'access',
  'key.revoked': 'access',
  'head_key.replaced': 'access',
  'runner.enrolled': 'access',
} as const satisfies Partial<Record<EventType, AuditGroup>>

/** A type of event that is in the audit. */
export type AuditedType = keyof typeof auditedTypes

/** Undefined for what is no line of the audit. */
export function auditGroupOf(type: string): AuditGroup | undefined {
  return isKnownType(type) && type in auditedTypes ? auditedTypes[type as AuditedType] : undefined
}

/** One line of the audit: an event of the log, and what it says to a person. */
export const AuditEntry = z.object({
  stream: z.string(),
  seq: z.int(),
  /** RFC 3339, UTC. */
  at: z.string(),
  type: z.string(),
  group: AuditGroup,
  actor: Actor,
  /** Of whoever did it; null where nobody has it any more, and for what is no person, service or machine. */
  name: z.string().nullable(),
  channel: z.string().nullable(),
  /** Where it came from; null where it is not known, and for whoever may not see it. */
  address: z.string().nullable(),
  project: z.string().nullable(),
  session: z.string().nullable(),
  /** Of the session. */
  title: z.string().nullable(),
  /** Of what was decided: hex SHA-256. */
  digest: z.string().nullable(),
  /** What it is about, in the words of who asked for it or made it; null where there are none, or they were erased. */
  about: z.string().nullable(),
  /** What happened, in words. */
  outcome: z.string(),
  /** Of the event, by which the log proves it; hex. Null where the log is damaged. */
  hash: z.string().nullable(),
})
export type AuditEntry = z.infer<typeof AuditEntry>

/** `GET /api/audit`, newest first. A page may hold fewer entries than asked for, or none, and still have a next one. */
export const AuditPage = z.object({
  entries: z.array(AuditEntry),
  /** `before` of the next page; null at the end. */
  next: z.string().nullable(),
  /** `server`: all that this server has; `projects`: of one's own projects alone. */
  reach: z.enum(['server', 'projects']),
})
export type AuditPage = z.infer<typeof AuditPage>

/** `GET /api/audit/key`: the public key by which signed heads are proven, `ed25519:…`, and those before it, newest first. */
export const AuditKey = z.object({
  key: z.string(),
  before: z.array(
    z.object({
      key: z.string(),
      /** Until when it signed; RFC 3339, UTC. */
      until: z.string(),
    }),
  ),
})

/** RFC 3339 in UTC, or a day, which means its beginning. */
const AuditTime = z
  .string()
  .regex(
    /^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,3})?)?Z)?$/,
    'must be 2026-01-31 or 2026-01-31T12:00:00Z',
  )
  .refine((text) => !Number.isNaN(Date.parse(text)), 'is no time')
  .transform((text) => new Date(text).toISOString())

/** What of the audit is asked for; all of it together. */
export const auditFilters = {
  /** From this time on. */
  from: AuditTime.optional(),
  /** Before this time. */
  to: AuditTime.optional(),
  /** An id, or the name of an account. */
  actor: z.string().min(1).max(64).optional(),
  group: AuditGroup.optional(),
  type: z.enum(Object.keys(auditedTypes) as [AuditedType, ...AuditedType[]]).optional(),
  session: Id.optional(),
  project: Id.optional(),
  /** In what it is about, the outcome, names, the channel, the digest; upper and lower case are the same. */
  text: z.string().min(1).max(200).optional(),
}
