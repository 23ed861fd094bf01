import { taskSessionOf } from '@hotline/core/task/task-session'
import type { SessionState } from '@hotline/core/session/state'
import type { TaskState } from '@hotline/core/task/state'
import type { Envelope } from '@hotline/protocol/event'
import type { DraftOf } from '@hotline/protocol/events'
import { asKnown } from '@hotline/protocol/known-event'
import type { RowChange, TaskTable } from '../log/tables.ts'

/** The line of a card in its project's stream, where a list would show it differently; undefined where it would not. */
export function taskLineBetween(
  before: TaskState | undefined,
  after: TaskState,
  at: number,
): DraftOf<'task.indexed'> | undefined {
  const line = taskLine(after, at)
  return before && JSON.stringify(taskLine(before, at)) === JSON.stringify(line) ? undefined : line
}

function taskLine(state: TaskState, at: number): DraftOf<'task.indexed'> {
  const { task, column, position, priority, assignee, sessions, createdAt, title, labels, removed } = state
  return {
    type: 'task.indexed',
    subject: `task:${task}`,
    data: {
      task,
      at,
      column,
      position,
      priority,
      ...(assignee ? { assignee } : {}),
      sessions: [...sessions],
      createdAt,
      ...(removed ? { removed } : {}),
    },
    body: { title, labels: [...labels] },
  }
}

/** The rows that a stretch of a card's events changes. */
export function taskRows(
  before: TaskState | undefined,
  after: TaskState,
  events: readonly Envelope[],
  now: string,
): readonly RowChange[] {
  const told = events.flatMap((event) => toldBy(event))
  if (after.removed) return [{ table: 'tasks', drop: { task: after.task } }, ...told]
  const set = {
    title: after.title,
    column_name: after.column,
    position: after.position,
    priority: after.priority,
    labels: JSON.stringify(after.labels),
    assignee: after.assignee ? JSON.stringify(after.assignee) : null,
    sessions: JSON.stringify(after.sessions),
    updated_at: now,
  } satisfies Partial<TaskTable>
  const { task, project, createdAt } = after
  const row: RowChange = before
    ? { table: 'tasks', set, where: { task } }
    : { table: 'tasks', insert: { task, project, created_at: createdAt, ...set } }
  return [row, ...told]
}

/** The card knows now how the session stood there; what came since it is told as well. */
function toldBy(event: Envelope): readonly RowChange[] {
  const known = asKnown(event)
  if (known?.type !== 'task.session_seen') return []
  const { session, at } = known.data
  return [{ table: 'sessions', set: { untold: 0 }, where: { session, untold: at } }]
}

/**
 * The position at which a session came to stand so that its card has to be told; undefined where nothing did that the card would
 * know. It is written with the session's events, so that no stop of the server forgets it.
 */
export function untoldBetween(
  before: SessionState | undefined,
  after: SessionState,
  events: readonly Envelope[],
): number | undefined {
  if (after.task === undefined || before === after) return undefined
  const isSame = before && JSON.stringify(taskSessionOf(before)) === JSON.stringify(taskSessionOf(after))
  return isSame ? undefined : events.at(-1)?.seq
}
