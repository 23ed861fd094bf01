import type { TaskColumn, TaskSession } from '@hotline/protocol/task'
import type { TaskState } from './state.ts'

/**
 * The column to which a card goes by what becomes of a session of it; the one it is in where it stays. Only what changes moves
 * it: where a person has put it, it stays until then. What is done or cancelled a person has said, and only work that is begun
 * anew takes it from there.
 */
export function columnAfter(state: TaskState, seen: TaskSession): TaskColumn {
  const { column, sessions } = state
  const before = sessions.find(({ session }) => session === seen.session)
  if (before?.phase === seen.phase && before.changes === seen.changes) return column
  const isClosed = column === 'done' || column === 'cancelled'
  if (seen.phase === 'at_work')
    return before?.phase === 'at_work' || (isClosed && isBegun(before)) ? column : 'in_progress'
  if (isClosed || sessions.some((other) => other.session !== seen.session && isUnderWay(other))) return column
  if (seen.changes && (seen.phase === 'at_rest' || seen.phase === 'completed')) return 'review'
  return seen.phase === 'completed' && column !== 'review' ? 'done' : column
}

/** It was at work before: what goes on is not begun anew. */
function isBegun(before: TaskSession | undefined): boolean {
  return before !== undefined && before.phase !== 'queued'
}

function isUnderWay({ phase }: TaskSession): boolean {
  return phase === 'at_work' || phase === 'queued'
}
