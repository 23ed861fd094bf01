import { type BudgetChange, readBudget } from '@hotline/core/budget-words'
import type { Budget } from '@hotline/protocol/budget'
import { fail } from './failure.ts'

/** Limits as they are typed. Throws a Failure in words. */
export function budgetChange(text: string): BudgetChange {
  const read = readBudget(text)
  if (!read.ok) throw fail('invalid_request', read.problem)
  return read.change
}

/** The same at a start, where nothing is there that could be taken away. */
export function newBudget(text: string): Budget {
  const set = Object.entries(budgetChange(text)).filter(([, limit]) => limit !== null)
  return Object.fromEntries(set)
}
