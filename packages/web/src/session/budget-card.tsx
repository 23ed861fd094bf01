import { amountWords, readAmount, usedWords, writtenAmount } from '@hotline/core/budget-words'
import type { SessionState } from '@hotline/core/session/state'
import { budgetsOf } from '@hotline/core/session/spent'
import type { CommandInput } from '@hotline/protocol/command'
import { type FormEvent, type ReactNode, useState } from 'react'
import { useNow } from '../live/use-now.ts'
import { Refusal } from '../parts/refusal.tsx'
import { BudgetFields, readFields } from './budget-fields.tsx'

/** Sends other limits. */
export type SetBudget = (data: CommandInput<'session.set_budget'>) => void

/** A budget is used up: a person gives it more, or ends the session. */
export function BudgetCard({
  state,
  mayDecide,
  set,
  ending,
}: {
  state: SessionState
  mayDecide: boolean
  set: SetBudget
  ending: ReactNode
}): ReactNode {
  const { exhausted, status } = state
  const [problem, setProblem] = useState<string>()
  if (!exhausted || status !== 'paused') return undefined
  const { budget, limit } = exhausted
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const text = new FormData(event.currentTarget).get('more')
    const more = readAmount(budget, typeof text === 'string' ? text : '')
    if (more === undefined) return setProblem(`Write it like this: ${writtenAmount(budget, limit)}.`)
    setProblem(undefined)
    set({ budget: { [budget]: Number((limit + more).toFixed(4)) } })
  }
  return (
    <article className="card spent" aria-label="Needs you: a budget is used up">
      <header>
        <span>Budget used up</span>
        <span className="small quiet">{usedWords(exhausted)}</span>
      </header>
      <div className="question">
        <p>
          {state.paused?.kind === 'frozen'
            ? 'It was stopped where it is, with everything that it started.'
            : 'It is held before its next step.'}{' '}
          It goes on when it gets more.
        </p>
        {mayDecide && (
          <form className="answer" onSubmit={submit}>
            <label className="field">
              <span>How much more</span>
              <input className="input" name="more" defaultValue={writtenAmount(budget, half(budget, limit))} />
            </label>
            <button type="submit" className="button strong">
              Go on with more
            </button>
            {ending}
          </form>
        )}
        <Refusal problem={problem === undefined ? undefined : { detail: problem }} look="small" />
      </div>
    </article>
  )
}

/** Half as much again is offered. */
function half(budget: string, limit: number): number {
  return budget === 'costUsd' ? Number((limit / 2).toFixed(2)) : Math.max(1, Math.ceil(limit / 2))
}

/** What is used of each budget, and other limits for whoever may set them. */
export function BudgetFacts({ state, set }: { state: SessionState; set: SetBudget | undefined }): ReactNode {
  const now = useNow(1_000)
  const [problem, setProblem] = useState<string>()
  const budgets = budgetsOf(state, now)
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const read = readFields(new FormData(event.currentTarget))
    setProblem(read.ok ? undefined : read.problem)
    if (read.ok) set?.({ budget: read.change })
  }
  if (budgets.length === 0 && !set) return undefined
  return (
    <div className="budget">
      <h2>Budget</h2>
      {budgets.map((one) => (
        <label key={one.budget} className="small">
          <span>{usedWords(one)}</span>
          <meter max={one.limit} high={one.limit * 0.8} value={Math.min(one.used, one.limit)}>
            {amountWords(one.budget, one.used)}
          </meter>
        </label>
      ))}
      {set && (
        <details className="why">
          <summary>{budgets.length > 0 ? 'Change it …' : 'Set one …'}</summary>
          <form key={JSON.stringify(state.budget ?? {})} className="stack" onSubmit={submit}>
            <BudgetFields budget={state.budget} />
            <Refusal problem={problem === undefined ? undefined : { detail: problem }} look="small" />
            <div className="actions">
              <button type="submit" className="button">
                Set the budget
              </button>
            </div>
          </form>
        </details>
      )}
    </div>
  )
}
