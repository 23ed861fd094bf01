import { z } from 'zod'
import { Budget, BudgetName } from '../budget.ts'
import { defineEvent } from '../event.ts'

const Used = z.looseObject({ budget: BudgetName, used: z.number().min(0), limit: z.number().positive() })

/** How much a session may use up, and how far it has. */
export const budgetEvents = {
  /** Somebody with the right, or its profile at the start, says how much it may use; whole. */
  'budget.changed': defineEvent(1, z.looseObject({ budget: Budget })),
  /** Most of one is used. */
  'budget.warned': defineEvent(1, Used),
  /** One is used up: the agent is held before its next step, until a person gives it more or ends it. */
  'budget.exhausted': defineEvent(1, Used),
}
