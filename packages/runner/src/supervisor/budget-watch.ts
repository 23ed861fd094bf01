import { usedOf } from '@hotline/core/session/spent'
import type { SessionState } from '@hotline/core/session/state'
import type { BudgetName } from '@hotline/protocol/budget'
import type { Report } from '@hotline/protocol/commands/agent'
import type { Hold } from './hold.ts'

/** From this part of a budget on people are told. */
const warnAt = 0.8

/** What works on as far as this beyond its budget without coming to a step is stopped where it is. */
const stopAt = 1.1

/** A step over the budget that the agent asks about is held at that; one about which it asks nothing within this is stopped. */
const askPatienceMs = 1_000

/** A clock is looked at no later than after this: the machine may have slept. */
const lookMaxMs = 60_000

const budgets: readonly BudgetName[] = ['timeMs', 'toolCalls', 'outputBytes', 'diskBytes', 'costUsd']

/** What a watch works with. */
export interface BudgetPorts {
  state: () => SessionState | undefined
  report: (report: Report) => void
  hold: Pick<Hold, 'spent' | 'spare'>
  /** It works, and does not wait for people: its time passes. */
  isAtWork: () => boolean
  /** False: it is a program, of which nobody can tell where a step ends. */
  hasSteps: () => boolean
}

/**
 * Counts what an agent uses up, and has it held when a budget is used up. What was used before is in the session's state; from
 * there on this counts for itself, so that nothing goes on while a report of it is on its way.
 */
export class BudgetWatch implements Disposable {
  readonly #ports: BudgetPorts
  readonly #used = { timeMs: 0, toolCalls: 0, outputBytes: 0, diskBytes: 0, costUsd: 0 }
  /** What was said of which limit. */
  readonly #said = new Set<string>()
  #isWatching = false
  #wasAtWork = false
  #lookedMs = 0
  #timer: NodeJS.Timeout | undefined
  #patience: NodeJS.Timeout | undefined

  constructor(ports: BudgetPorts) {
    this.#ports = ports
  }

  /** From now on; what was heard before is in the state. */
  begin(): void {
    const state = this.#ports.state()
    if (state) for (const budget of budgets) this.#used[budget] = usedOf(state, budget, Date.now())
    for (const budget of state?.warned ?? []) this.#said.add(`warned ${budget} ${state?.budget?.[budget]}`)
    if (state?.exhausted) this.#said.add(`exhausted ${state.exhausted.budget} ${state.exhausted.limit}`)
    this.#isWatching = true
    this.#lookedMs = performance.now()
    this.#wasAtWork = this.#ports.isAtWork()
    this.changed()
  }

  /** The agent begins a step. */
  stepBegan(): void {
    this.#used.toolCalls += 1
    this.look()
    if (!this.#isWatching || !this.#overBudget()) return
    this.#patience ??= setTimeout(() => {
      this.#patience = undefined
      if (this.#overBudget()) this.#ports.hold.spent('now')
    }, askPatienceMs)
  }

  printed(bytes: number): void {
    this.#used.outputBytes += bytes
    this.look()
  }

  /** What the folder that it works in takes up now. */
  disk(bytes: number): void {
    this.#used.diskBytes = bytes
    this.look()
  }

  /** What the agent says that the session has cost so far; whoever hears it looks then. */
  cost(cost: { amount: number; currency: string } | undefined): void {
    if (cost?.currency === 'USD') this.#used.costUsd = cost.amount
  }

  /** A person has set other limits. */
  changed(): void {
    this.look()
    if (this.#isWatching && !this.#overBudget()) this.#ports.hold.spare()
  }

  /** To be called whenever something happened. */
  look(): void {
    if (!this.#isWatching) return
    const { state: stateOf, hold, isAtWork, hasSteps } = this.#ports
    const nowMs = performance.now()
    if (this.#wasAtWork) this.#used.timeMs += nowMs - this.#lookedMs
    this.#lookedMs = nowMs
    this.#wasAtWork = isAtWork()
    const state = stateOf()
    // What another life of the runner has told, and this one has not seen.
    if (state) this.#used.toolCalls = Math.max(this.#used.toolCalls, state.counts.steps)
    for (const budget of budgets) {
      const limit = state?.budget?.[budget]
      if (limit === undefined) continue
      const used = this.#used[budget]
      if (used >= limit * warnAt) this.#say('warned', budget, used, limit)
      if (!isSpent(budget, used, limit)) continue
      this.#say('exhausted', budget, used, limit)
      // The call that is one too many is not among those that were used, and is held by itself.
      const isFarBeyond = budget !== 'toolCalls' && used >= limit * stopAt && this.#wasAtWork
      hold.spent(isFarBeyond || !hasSteps() ? 'now' : 'next_step')
    }
    this.#plan(state)
  }

  /** Looks again when time may have brought it to a limit. */
  #plan(state: SessionState | undefined): void {
    clearTimeout(this.#timer)
    const limit = state?.budget?.timeMs
    if (limit === undefined || !this.#wasAtWork) return
    const left = [warnAt, 1, stopAt].map((part) => limit * part - this.#used.timeMs).find((ms) => ms > 0)
    if (left === undefined) return
    this.#timer = setTimeout(() => this.look(), Math.min(left + 1, lookMaxMs))
    this.#timer.unref()
  }

  #overBudget(): boolean {
    const limits = this.#ports.state()?.budget
    return budgets.some((budget) => {
      const limit = limits?.[budget]
      return limit !== undefined && isSpent(budget, this.#used[budget], limit)
    })
  }

  #say(what: 'warned' | 'exhausted', budget: BudgetName, counted: number, limit: number): void {
    const key = `${what} ${budget} ${limit}`
    if (this.#said.has(key)) return
    this.#said.add(key)
    const used =
      budget === 'costUsd' ? counted : Math.round(budget === 'toolCalls' ? Math.min(counted, limit) : counted)
    this.#ports.report({ type: `budget.${what}`, data: { budget, used, limit } })
  }

  [Symbol.dispose](): void {
    this.#isWatching = false
    clearTimeout(this.#timer)
    clearTimeout(this.#patience)
  }
}

/** Of calls as many as the limit says may be made; the next one is over it. */
function isSpent(budget: BudgetName, used: number, limit: number): boolean {
  return budget === 'toolCalls' ? used > limit : used >= limit
}
