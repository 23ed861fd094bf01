import type { Budget, BudgetName } from '@hotline/protocol/budget'
import { budgetNames } from '@hotline/protocol/budget-names'
import type { EventOf, KnownEvent } from '@hotline/protocol/events'
import { type SessionState, turnOf } from './state.ts'

type Used = EventOf<'budget.warned' | 'budget.exhausted'>

const nothing: NonNullable<SessionState['spent']> = { timeMs: 0, outputBytes: 0 }

/** At work: time passes for its budget. While it waits for people, or is paused, none does. */
export function isAtWork(state: SessionState): boolean {
  return state.status === 'active' && turnOf(state) === 'running'
}

/**
 * What an event used up: time, from when the agent began to work until it stopped; and what its programs printed, where that
 * has a limit: without one, output changes nothing in the state.
 */
export function spend(before: SessionState, after: SessionState, event: KnownEvent): SessionState {
  const worked = isAtWork(before)
  const works = isAtWork(after)
  const isCounted = event.type === 'output.appended' && event.data.source !== 'log'
  const printed = isCounted && before.budget?.outputBytes !== undefined ? event.data.bytes : 0
  if (worked === works && printed === 0) return after
  const { since, ...spent } = after.spent ?? nothing
  const timeMs = worked && !works ? spent.timeMs + passedMs(since, event.at) : spent.timeMs
  const from = works ? (worked ? since : event.at) : undefined
  const outputBytes = spent.outputBytes + printed
  return { ...after, spent: { ...spent, timeMs, outputBytes, ...(from === undefined ? {} : { since: from }) } }
}

function passedMs(since: string | undefined, at: string): number {
  return since === undefined ? 0 : Math.max(0, Date.parse(at) - Date.parse(since))
}

/** How much of a budget is used, as the log says; `nowMs`: the time, for what is being worked now. */
export function usedOf(state: SessionState, budget: BudgetName, nowMs: number): number {
  const { spent = nothing, counts, usage } = state
  switch (budget) {
    case 'timeMs':
      return spent.timeMs + (spent.since === undefined ? 0 : Math.max(0, nowMs - Date.parse(spent.since)))
    case 'toolCalls':
      // The call that is one too many is held, and not among those that were used.
      return state.exhausted?.budget === 'toolCalls' ? state.exhausted.used : counts.steps
    case 'outputBytes':
      return spent.outputBytes
    case 'diskBytes':
      return spent.diskBytes ?? 0
    case 'costUsd':
      return usage?.cost?.currency === 'USD' ? usage.cost.amount : 0
  }
}

/** All that have a limit, with what is used. */
export function budgetsOf(state: SessionState, nowMs: number): { budget: BudgetName; used: number; limit: number }[] {
  const { budget: limits = {} } = state
  return budgetNames.flatMap((budget) => {
    const limit = limits[budget]
    return limit === undefined ? [] : [{ budget, used: usedOf(state, budget, nowMs), limit }]
  })
}

/** With other limits; what was said of the old ones holds where they are the same. */
export function budgetChanged(state: SessionState, budget: Budget): SessionState {
  const kept = (state.warned ?? []).filter((name) => budget[name] === state.budget?.[name])
  const { exhausted } = state
  const limit = exhausted && budget[exhausted.budget]
  return {
    ...state,
    budget: Object.keys(budget).length === 0 ? undefined : budget,
    warned: kept.length === 0 ? undefined : kept,
    exhausted: exhausted && limit !== undefined && limit <= exhausted.used ? exhausted : undefined,
  }
}

/** What the machine has counted: where that is more than the log shows, it is what counts. */
function counted(state: SessionState, { data, at }: Used): SessionState {
  const { budget, used } = data
  // It was measured: what counts is what was seen last.
  if (budget === 'diskBytes') return { ...state, spent: { ...(state.spent ?? nothing), diskBytes: used } }
  if (budget !== 'timeMs' && budget !== 'outputBytes') return state
  const spent = state.spent ?? nothing
  const missing = Math.max(0, used - usedOf(state, budget, Date.parse(at)))
  return missing === 0 ? state : { ...state, spent: { ...spent, [budget]: spent[budget] + missing } }
}

/** Most of one is used. */
export function budgetWarned(state: SessionState, event: EventOf<'budget.warned'>): SessionState {
  const { budget } = event.data
  const told = state.warned?.includes(budget) ? state.warned : [...(state.warned ?? []), budget]
  return { ...counted(state, event), warned: told }
}

/** One is used up. */
export function budgetExhausted(state: SessionState, event: EventOf<'budget.exhausted'>): SessionState {
  const { budget, used, limit } = event.data
  return { ...counted(state, event), exhausted: { budget, used, limit } }
}
