import { type BudgetChange, budgetKeys, readAmount, writtenAmount } from '@hotline/core/budget-words'
import type { Budget, BudgetName } from '@hotline/protocol/budget'
import type { ReactNode } from 'react'

const fields: Record<BudgetName, { label: string; example: string }> = {
  timeMs: { label: 'Time at work', example: '2h' },
  toolCalls: { label: 'Tool calls', example: '500' },
  outputBytes: { label: 'Output', example: '100 MB' },
  diskBytes: { label: 'Disk of its folder', example: '5 GB' },
  costUsd: { label: 'Cost in US dollars', example: '5' },
}

const names = Object.values(budgetKeys)

/** One field for each thing that a session may use up; empty: as much as it wants. */
export function BudgetFields({ budget = {} }: { budget?: Budget | undefined }): ReactNode {
  return (
    <div className="budgets">
      {names.map((name) => (
        <label key={name} className="field">
          <span>{fields[name].label}</span>
          <input
            className="input"
            name={name}
            inputMode={name === 'toolCalls' ? 'numeric' : undefined}
            defaultValue={writtenAmount(name, budget[name])}
            placeholder={fields[name].example}
          />
        </label>
      ))}
    </div>
  )
}

/** What the fields say; `null` where one is empty. */
export function readFields(data: FormData): { ok: true; change: BudgetChange } | { ok: false; problem: string } {
  const change: BudgetChange = {}
  for (const name of names) {
    const text = data.get(name)
    const written = typeof text === 'string' ? text.trim() : ''
    const amount = written === '' ? null : readAmount(name, written)
    if (amount === undefined) {
      const { label, example } = fields[name]
      return { ok: false, problem: `${label}: "${written}" cannot be read. Write it like this: ${example}.` }
    }
    change[name] = amount
  }
  return { ok: true, change }
}
