import type { HeadEntry } from '../head-cache.ts'
import type { Append, AppendResult } from '../log-store.ts'
import { planGroup } from '../plan-group.ts'
import type { GroupPlan, PlanMeans, PlannedAppend } from '../plan-group.ts'
import type { RowStatement } from '../row-statements.ts'
import type { RowChange } from '../tables.ts'
import { chainSeed } from '../chain-hasher.ts'
import { writingOf } from './write-statement.ts'
import type { Writing } from './write-statement.ts'

/** What became of one group; an Error where it cannot be written at all. */
export type Outcome = AppendResult | Error

/** A transaction that was put together: what is sent, and what is answered if it is committed. */
export interface Prepared {
  /** Of groups that were refused when they were planned; undefined for those that are written. */
  outcomes: (Outcome | undefined)[]
  planned: readonly (readonly PlannedAppend[] | undefined)[]
  writing: Writing
  rows: readonly RowStatement[]
}

/** Plans groups one after the other on these heads. */
export function prepareBatch(
  groups: readonly (readonly Append[])[],
  heads: ReadonlyMap<string, HeadEntry>,
  means: PlanMeans,
  rowStatement: (change: RowChange) => RowStatement,
): Prepared {
  const moved = new Map(heads)
  const planned: (readonly PlannedAppend[] | undefined)[] = []
  const rows: RowStatement[] = []
  const outcomes = groups.map((group): Outcome | undefined => {
    const plan = planOrError(group, moved, means)
    planned.push(plan instanceof Error || !plan.ok ? undefined : plan.planned)
    if (plan instanceof Error || !plan.ok) return plan
    for (const { append, after } of plan.planned) {
      moved.set(append.stream, after)
      rows.push(...(append.rows ?? []).map(rowStatement))
    }
    return undefined
  })
  const writing = writingOf(
    planned.flatMap((group) => group ?? []),
    ({ append, after }) => ({
      no: 0,
      epoch: after.epoch,
      head: 0,
      hash: chainSeed(append.stream, after.epoch),
      generation: 0,
    }),
  )
  return { outcomes, planned, writing, rows }
}

function planOrError(
  group: readonly Append[],
  heads: ReadonlyMap<string, HeadEntry>,
  means: PlanMeans,
): GroupPlan | Error {
  try {
    return planGroup(group, (stream) => heads.get(stream), means)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
