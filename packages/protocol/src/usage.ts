import { z } from 'zod'

/** By what usage is added up. `person`: whoever started the session, a service too. */
export const usageGroups = ['session', 'agent', 'person', 'project', 'day'] as const
/** One of them. */
export const UsageGroup = z.enum(usageGroups)
export type UsageGroup = z.infer<typeof UsageGroup>

/** What sessions used up, as their agents told it. */
export const UsageRow = z.object({
  /** An id, the name of an agent's profile, or a day (`2026-11-23`, UTC); null for sessions of which nobody knows who started them. */
  key: z.string().nullable(),
  /** What people call it; null where it has no other name. */
  name: z.string().nullable(),
  sessions: z.int(),
  inputTokens: z.number(),
  outputTokens: z.number(),
  /** A currency each; empty where no agent told a cost. */
  costs: z.array(z.object({ amount: z.number(), currency: z.string() })),
})
export type UsageRow = z.infer<typeof UsageRow>

/** `GET /api/usage`: days in their order, all else by what it used, the most first. */
export const UsagePage = z.object({
  /** First and last day, UTC. */
  from: z.string(),
  to: z.string(),
  rows: z.array(UsageRow),
  /** How many more there are. */
  more: z.int(),
})
export type UsagePage = z.infer<typeof UsagePage>
