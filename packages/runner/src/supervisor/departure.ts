import type { Report } from '@hotline/protocol/commands/agent'
import type { DataOf } from '@hotline/protocol/events'
import type { TreeReach } from '@hotline/protocol/process-tree'
import { type AdapterName, outlivesRunner } from '../adapters/adapter.ts'
import type { AutoEnd } from './auto-exit.ts'
import { type Ending, endReport, goalReport, stateReport } from './endings.ts'
import type { RunEnd } from './run-ports.ts'
import type { SessionLog } from './session-log.ts'

/** What is asked when an agent is gone. */
interface DepartureOf {
  sessionLog: SessionLog
  put: (report: Report) => void
  /** The runner is going down. */
  isStopping: () => boolean
  /** How far "nothing is left" reaches; undefined where there was no process. */
  reach: () => TreeReach | undefined
}

/** How a session's agent comes to its end: who wanted it, and what is said of it. */
export class Departure {
  readonly #of: DepartureOf
  #kills: DataOf<'control.requested'>[] = []
  #auto: AutoEnd | undefined
  #isToGoOn = false

  constructor(of: DepartureOf) {
    this.#of = of
  }

  /** The next life of this runner goes on with it, as if nothing had happened. */
  get isToGoOn(): boolean {
    return this.#isToGoOn
  }

  /** A person wants it. False where that is known already. */
  wanted(control: DataOf<'control.requested'>): boolean {
    if (this.#kills.some((known) => known.control === control.control)) return false
    this.#kills.push(control)
    return true
  }

  /** Its profile ends it. */
  auto(end: AutoEnd): void {
    this.#auto ??= end
  }

  /** `left`: processes that could not be ended. */
  ended({ exit, fault }: RunEnd, adapter: AdapterName, left: readonly number[]): void {
    const isKilled = this.#kills.length > 0 && left.length === 0
    if (left.length > 0) {
      const reason = `These processes could not be ended: ${left.join(', ')}.`
      for (const { control } of this.#kills) {
        this.#of.put({ type: 'control.failed', data: { control, action: 'kill' }, body: { reason } })
      }
      this.#kills = []
    }
    this.#report({ exit, fault, adapter, auto: this.#auto, isKilled, isStopping: this.#of.isStopping() })
  }

  /** It went with an earlier life of this runner. */
  wentBefore(): void {
    this.#report({ exit: undefined, adapter: 'acp', isKilled: this.#kills.length > 0, isStopping: false })
  }

  /** There was none; `note` is for people. */
  notStarted(note: string): void {
    // The next life of the runner starts it.
    if (this.#of.isStopping() && this.#kills.length === 0) return
    this.#killsDone()
    this.#of.put(stateReport('failed', 'start_failed', { note }))
  }

  #report(ending: Ending): void {
    const { sessionLog, put } = this.#of
    if (ending.isStopping && !ending.isKilled && outlivesRunner(ending.adapter)) {
      this.#isToGoOn = true
      return
    }
    // Decided by a person and not handed over: nobody will.
    for (const { approval, outcome } of sessionLog.state?.approvals ?? []) {
      if (outcome === undefined) continue
      put({ type: 'approval.dispatch_refused', data: { approval, reason: 'stale' } })
    }
    this.#killsDone()
    const goal = goalReport(ending)
    if (goal) put(goal)
    put(endReport(ending))
  }

  #killsDone(): void {
    const reach = this.#of.reach()
    for (const { control } of this.#kills) {
      const data = { control, action: 'kill' as const, ...(reach === undefined ? {} : { reach }) }
      this.#of.put({ type: 'control.done', data })
    }
  }
}
