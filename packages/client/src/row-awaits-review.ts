import type { SessionRow } from '@hotline/protocol/http'

/** Whether an agent waits for its changes to be reviewed: it waits for a person, and it is none of what a row names. */
export function rowAwaitsReview(row: SessionRow): boolean {
  const isNamed = row.openApprovals.length + row.openQuestions.length > 0
  return row.status === 'active' && row.turn === 'waiting' && !isNamed
}
