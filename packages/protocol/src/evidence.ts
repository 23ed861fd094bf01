import { z } from 'zod'
import { Actor } from './actor.ts'
import { BudgetName } from './budget.ts'
import { PauseKind } from './events/control.ts'
import { Exit } from './events/session.ts'
import { limits } from './limits.ts'
import { PolicyModeName } from './policy-mode-schema.ts'
import { FileFence, TreeReach, TreeSample } from './process-tree.ts'
import { Id } from './ids.ts'

/** What a machine sees of an agent at this moment. It is told while somebody looks, and never logged. */
export const Evidence = z.looseObject({
  /** When the agent last said or printed anything. */
  lastOutputAt: z.string().optional(),
  /** Its processes; absent where it has none, or the kernel cannot be asked. */
  tree: TreeSample.optional(),
})
export type Evidence = z.infer<typeof Evidence>

/** `PUT /api/runner/evidence`: of sessions that this runner holds, with their fences. */
export const EvidenceBody = z.strictObject({
  sessions: z
    .array(z.strictObject({ session: Id, fence: z.int().min(1), evidence: Evidence }))
    .max(limits.evidencePerReport),
})
export type EvidenceBody = z.infer<typeof EvidenceBody>

/** Answer to `PUT /api/runner/evidence`: how many of them were of use. */
export const EvidenceTaken = z.object({ taken: z.int() })

/** `GET /api/sessions/:id/evidence`: how an agent stands, and how that is known. What is not known is null. */
export const SessionEvidence = z.object({
  session: z.string(),
  status: z.string(),
  since: z.string(),
  turn: z.enum(['idle', 'running', 'waiting', 'watched']),
  /** What it waits for. */
  waitsFor: z.object({ approvals: z.array(z.string()), questions: z.array(z.string()) }),
  pid: z.int().nullable(),
  startedAt: z.string().nullable(),
  exit: Exit.nullable(),
  staleSince: z.string().nullable(),
  /** How far stopping and ending it reaches. */
  reach: TreeReach.nullable(),
  /** What it is kept from; null for one that did not say. */
  fence: FileFence.nullable(),
  paused: z.object({ kind: PauseKind, reach: TreeReach.optional(), processes: z.int().optional() }).nullable(),
  /** What is not asked in it, until when, and who said so; null where everything is asked. */
  policyMode: z.object({ mode: PolicyModeName, until: z.string().optional(), by: Actor }).nullable(),
  /** What it may use up and has, as far as the log says. */
  budgets: z.array(z.object({ budget: BudgetName, used: z.number(), limit: z.number() })),
  lastOutputAt: z.string().nullable(),
  tree: TreeSample.nullable(),
})
export type SessionEvidence = z.infer<typeof SessionEvidence>
