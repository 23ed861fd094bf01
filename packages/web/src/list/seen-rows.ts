import { askKey } from '@hotline/core/account/ask-key'
import type { SessionRow } from '@hotline/protocol/http'

/** What of a session's asks the person who looks has put aside. */
interface Aside {
  approvals: number
  questions: number
  /** When the first of them comes back. */
  until: string
}

/** A row as one person sees it: what they have put aside is open and does not need them now. */
export interface SeenRow extends SessionRow {
  aside?: Aside
}

/** The rows with what is put aside of each; `snoozed` as `Snoozes` has it. */
export function seenRows(rows: readonly SessionRow[], snoozed: ReadonlyMap<string, string>): readonly SeenRow[] {
  return snoozed.size === 0 ? rows : rows.map((row) => seenRow(row, snoozed))
}

function seenRow(row: SessionRow, snoozed: ReadonlyMap<string, string>): SeenRow {
  const of = (asks: readonly string[]): string[] => asks.flatMap((ask) => snoozed.get(askKey(row.session, ask)) ?? [])
  const [approvals, questions] = [of(row.openApprovals), of(row.openQuestions)]
  const [until] = [...approvals, ...questions].toSorted()
  return until === undefined
    ? row
    : { ...row, aside: { approvals: approvals.length, questions: questions.length, until } }
}
