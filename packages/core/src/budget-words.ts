import type { Budget, BudgetName } from '@hotline/protocol/budget'
import { elapsedText } from './elapsed.ts'

/** All budgets, in the order in which they are shown, with the name by which people write them. */
export const budgetKeys = {
  time: 'timeMs',
  calls: 'toolCalls',
  output: 'outputBytes',
  disk: 'diskBytes',
  cost: 'costUsd',
} as const

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const unitBytes: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9 }

/** Other limits; `null` takes one away. */
export type BudgetChange = { [name in BudgetName]?: number | null }

/** How one is written. */
export const budgetForms = 'time=2h, calls=500, output=100MB, disk=5GB, cost=5'

/** An amount of one: `2h 10m`, `500 tool calls`, `100 MB of output`, `$5.00`. */
export function amountWords(budget: BudgetName, amount: number): string {
  switch (budget) {
    case 'timeMs':
      return `${elapsedText(amount)} of work`
    case 'toolCalls':
      return `${amount} tool ${amount === 1 ? 'call' : 'calls'}`
    case 'outputBytes':
      return `${bytesText(amount)} of output`
    case 'diskBytes':
      return `${bytesText(amount)} of disk`
    case 'costUsd':
      return `$${amount.toFixed(2)}`
  }
}

/** `400 of 500 tool calls`. */
export function usedWords({ budget, used, limit }: { budget: BudgetName; used: number; limit: number }): string {
  switch (budget) {
    case 'timeMs':
      return `${elapsedText(used)} of ${amountWords(budget, limit)}`
    case 'toolCalls':
      return `${used} of ${amountWords(budget, limit)}`
    case 'outputBytes':
      return `${bytesText(used)} of ${amountWords(budget, limit)}`
    case 'diskBytes':
      // It is measured while it works, and told when most of it is used.
      return `${used === 0 ? 'under 80 %' : bytesText(used)} of ${amountWords(budget, limit)}`
    case 'costUsd':
      return `$${used.toFixed(2)} of ${amountWords(budget, limit)}`
  }
}

/** All limits in one line. */
export function budgetWords(budget: Budget): string {
  const words = Object.values(budgetKeys).flatMap((name) => {
    const limit = budget[name]
    return limit === undefined ? [] : [amountWords(name, limit)]
  })
  return words.length === 0 ? 'none' : words.join(', ')
}

/**
 * Reads limits as people write them: `time=2h,calls=500`; `none` takes one away. Answers what cannot be read, in words.
 */
export function readBudget(text: string): { ok: true; change: BudgetChange } | { ok: false; problem: string } {
  const change: BudgetChange = {}
  for (const part of text.split(/[,\s]+/).filter(Boolean)) {
    const [key = '', value = ''] = part.split('=')
    const name = Object.hasOwn(budgetKeys, key) ? budgetKeys[key as keyof typeof budgetKeys] : undefined
    const amount = name === undefined ? undefined : value === 'none' ? null : readAmount(name, value)
    if (name === undefined || amount === undefined) {
      return { ok: false, problem: `"${part}" is no budget. Write it like this: ${budgetForms}.` }
    }
    change[name] = amount
  }
  if (Object.keys(change).length === 0) return { ok: false, problem: `Write it like this: ${budgetForms}.` }
  return { ok: true, change }
}

/** Undefined where it is none. A time has a unit; bytes may have one. */
export function readAmount(budget: BudgetName, text: string): number | undefined {
  const parts = /^\$?(\d{1,12}(?:\.\d{1,4})?)\s?([a-z]*)$/i.exec(text.trim())
  const number = Number(parts?.[1] ?? 0)
  const unit = (parts?.[2] ?? '').toLowerCase()
  if (!(number > 0)) return undefined
  switch (budget) {
    case 'timeMs':
      return whole(number * (unitMs[unit] ?? 0), 1_000)
    case 'toolCalls':
      return unit === '' || unit === 'calls' ? whole(number, 1) : undefined
    case 'outputBytes':
    case 'diskBytes':
      return whole(number * (unitBytes[unit.replace(/i?b$/, '')] ?? 0), 1)
    case 'costUsd':
      return unit === '' || unit === 'usd' ? number : undefined
  }
}

function whole(amount: number, least: number): number | undefined {
  const rounded = Math.round(amount)
  return rounded >= least ? rounded : undefined
}

function bytesText(bytes: number): string {
  if (bytes < 1e3) return `${bytes} B`
  const [unit, size] = bytes < 1e6 ? ['kB', 1e3] : bytes < 1e9 ? ['MB', 1e6] : ['GB', 1e9]
  return `${Number((bytes / size).toFixed(1))} ${unit}`
}

/** As it can be typed; empty where there is none. */
export function writtenAmount(budget: BudgetName, amount: number | undefined): string {
  if (amount === undefined) return ''
  if (budget === 'outputBytes' || budget === 'diskBytes') return bytesText(amount)
  if (budget !== 'timeMs') return String(amount)
  const unit = amount % 3_600_000 === 0 ? 'h' : amount % 60_000 === 0 ? 'm' : 's'
  return `${Number((amount / (unitMs[unit] ?? 1)).toFixed(3))}${unit}`
}
