import { z } from 'zod'
import { budgetNames } from './budget-names.ts'

/** See `budgetNames`. */
export const BudgetName = z.enum(budgetNames)
export type BudgetName = (typeof budgetNames)[number]

const limits = {
  /** Time in which the agent worked; while it waits for people or is paused, none passes. */
  timeMs: z
    .int()
    .min(1_000)
    .max(365 * 24 * 60 * 60 * 1_000),
  toolCalls: z.int().min(1).max(1_000_000_000),
  outputBytes: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  /** What the folder that it works in takes up, with all that was in it before. */
  diskBytes: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  /** Counted where the agent tells what it costs, in US dollars. */
  costUsd: z.number().positive().max(1_000_000_000),
}

const { timeMs, toolCalls, outputBytes, diskBytes, costUsd } = limits

/** How much of each a session may use; absent: as much as it wants. */
export const Budget = z.looseObject({
  timeMs: timeMs.optional(),
  toolCalls: toolCalls.optional(),
  outputBytes: outputBytes.optional(),
  diskBytes: diskBytes.optional(),
  costUsd: costUsd.optional(),
})

/** See `Budget`. */
export type Budget = { [name in BudgetName]?: number | undefined }

/** The same as people set it at a start. */
export const NewBudget = z.strictObject(Budget.shape)

/** Changes to it: `null` takes a limit away, what is left out stays. */
export const BudgetChange = z.strictObject({
  timeMs: timeMs.nullable().optional(),
  toolCalls: toolCalls.nullable().optional(),
  outputBytes: outputBytes.nullable().optional(),
  diskBytes: diskBytes.nullable().optional(),
  costUsd: costUsd.nullable().optional(),
})
