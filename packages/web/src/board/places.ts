import type { BoardPicture, TaskPlace } from '@hotline/client/task-board'
import { type TaskColumn, taskColumns, type TaskRow } from '@hotline/protocol/task'

type Columns = BoardPicture['columns']

/** What the columns are called. */
export const columnWords: Readonly<Record<TaskColumn, string>> = {
  backlog: 'Backlog',
  todo: 'To do',
  in_progress: 'In progress',
  review: 'Review',
  done: 'Done',
  cancelled: 'Cancelled',
}

/** How a card is moved by a key. */
export type Direction = 'left' | 'right' | 'up' | 'down'

/**
 * Where a card comes that is put into a column as a whole: to its end; to its start where it is over, or where the end was
 * not read yet.
 */
export function placeIn({ columns, to, task }: { columns: Columns; to: TaskColumn; task: string }): TaskPlace {
  const { tasks, hasMore } = columns[to]
  const isAtStart = hasMore || to === 'done' || to === 'cancelled'
  const last = tasks.findLast((row) => row.task !== task)
  return { to, after: isAtStart ? null : (last?.task ?? null) }
}

/** Where a card comes that is dropped on the upper (`before`) or lower half of another one; undefined where it stands there. */
export function placeBeside(
  columns: Columns,
  task: string,
  other: TaskRow,
  half: 'before' | 'after',
): TaskPlace | undefined {
  if (task === other.task) return undefined
  const rest = columns[other.column].tasks.filter((row) => row.task !== task)
  const at = rest.findIndex((row) => row.task === other.task)
  const after = half === 'after' ? other.task : (rest[at - 1]?.task ?? null)
  return isThere(columns, task, { to: other.column, after }) ? undefined : { to: other.column, after }
}

/** Where a key takes a card; undefined at the edge of the board. */
export function placeTowards(columns: Columns, row: TaskRow, direction: Direction): TaskPlace | undefined {
  if (direction === 'left' || direction === 'right') {
    const to = taskColumns[taskColumns.indexOf(row.column) + (direction === 'left' ? -1 : 1)]
    return to && placeIn({ columns, to, task: row.task })
  }
  const { tasks } = columns[row.column]
  const other = tasks[tasks.findIndex(({ task }) => task === row.task) + (direction === 'up' ? -1 : 1)]
  return other && placeBeside(columns, row.task, other, direction === 'up' ? 'before' : 'after')
}

/** The card to which an arrow leads from another one: in its column, or in the next that has any. */
export function cardTowards(columns: Columns, row: TaskRow, direction: Direction): TaskRow | undefined {
  const { tasks } = columns[row.column]
  const at = tasks.findIndex(({ task }) => task === row.task)
  if (direction === 'up') return tasks[at - 1]
  if (direction === 'down') return tasks[at + 1]
  const place = taskColumns.indexOf(row.column)
  const others = direction === 'left' ? taskColumns.slice(0, place).toReversed() : taskColumns.slice(place + 1)
  const there = others.map((column) => columns[column].tasks).find((cards) => cards.length > 0)
  return there?.[Math.min(at, there.length - 1)]
}

function isThere(columns: Columns, task: string, { to, after }: TaskPlace): boolean {
  const { tasks } = columns[to]
  const at = tasks.findIndex((row) => row.task === task)
  return at >= 0 && (tasks[at - 1]?.task ?? null) === after
}
