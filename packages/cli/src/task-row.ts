import { taskColumns, type TaskRow } from '@hotline/protocol/task'
import { inLine } from './approval-card.ts'
import { shownIdChars } from './session-row.ts'

/** Cards under the names of their columns, from the left of the board to its right. */
export function cardLines(rows: readonly TaskRow[], names: ReadonlyMap<string, string>): string {
  return taskColumns
    .flatMap((column) => {
      const cards = rows.filter((row) => row.column === column)
      return cards.length === 0
        ? []
        : [`${column.replace('_', ' ')}\n${cards.map((row) => cardLine(row, names)).join('')}`]
    })
    .join('')
}

function cardLine(row: TaskRow, names: ReadonlyMap<string, string>): string {
  const { task, title, priority, labels, assignee, sessions } = row
  const facts = [
    ...(priority === 'normal' ? [] : [priority]),
    ...labels.map((label) => `#${label}`),
    ...(assignee ? [assignee.kind === 'person' ? `@${names.get(assignee.id) ?? assignee.id}` : assignee.id] : []),
    ...workOf(sessions),
  ]
  const about = facts.length === 0 ? '' : `  (${inLine(facts.join(', '))})`
  return `  ${task.slice(0, shownIdChars).padEnd(shownIdChars)}  ${inLine(title)}${about}\n`
}

/** What its sessions are at, in a few words. */
function workOf(sessions: TaskRow['sessions']): readonly string[] {
  const count = (phase: TaskRow['sessions'][number]['phase']): number =>
    sessions.filter((session) => session.phase === phase).length
  return [
    ...(count('at_work') > 0 ? [`${count('at_work')} at work`] : []),
    ...(count('queued') > 0 ? [`${count('queued')} queued`] : []),
    ...(sessions[0]?.phase === 'failed' ? ['failed'] : []),
  ]
}
