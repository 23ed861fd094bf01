import { useDraggable, useDroppable } from '@dnd-kit/core'
import { type TaskColumn, type TaskRow, taskColumns } from '@hotline/protocol/task'
import { Link as To } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import type { SeenRow } from '../list/seen-rows.ts'
import { useLive } from '../live/hotline.tsx'
import { Legible } from '../parts/legible.tsx'
import { legibleName } from '../text/legible.ts'
import { columnWords } from './places.ts'
import { SessionBadge } from './session-badge.tsx'

/** Labels that a card shows; the others are in its panel. */
const labelsMax = 4

/** One card in its column: it can be held and moved, or sent to a column by its menu. */
export function TaskCard({
  row,
  seen,
  move,
}: {
  row: TaskRow
  seen: SeenRow | undefined
  /** Absent for whoever may not move it. */
  move: ((to: TaskColumn) => void) | undefined
}): ReactNode {
  const drag = useDraggable({ id: row.task, disabled: move === undefined })
  const drop = useDroppable({ id: row.task })
  return (
    <li
      ref={(element) => {
        drag.setNodeRef(element)
        drop.setNodeRef(element)
      }}
      className={`board-card${drag.isDragging ? ' held' : ''}${drop.isOver && !drag.isDragging ? ' under' : ''}`}
      {...drag.listeners}
    >
      <CardFace row={row} seen={seen} />
      {move && <MoveMenu label={`Move “${legibleName(row.title)}” to`} move={move} column={row.column} />}
    </li>
  )
}

/** What is written on a card. */
export function CardFace({ row, seen }: { row: TaskRow; seen: SeenRow | undefined }): ReactNode {
  const { known, names } = useLive()
  const { title, priority, labels, assignee } = row
  const who = assignee && (assignee.kind === 'person' ? names : known.agents).get(assignee.id)
  return (
    <>
      <To
        to="/tasks/$task"
        params={{ task: row.task }}
        className="title"
        data-task={row.task}
        draggable={false}
        title={legibleName(title)}
      >
        <Legible text={title} place="name" />
      </To>
      <p className="facts small quiet">
        {priority !== 'normal' && <b className={`priority ${priority}`}>{priorityWords[priority]}</b>}
        {labels.slice(0, labelsMax).map((label) => (
          <span key={label} className="label">
            <Legible text={label} place="name" />
          </span>
        ))}
        {labels.length > labelsMax && <span>+{labels.length - labelsMax}</span>}
        {assignee && <span>{assignee.kind === 'person' ? `@${who ?? assignee.id}` : (who ?? assignee.id)}</span>}
      </p>
      <SessionBadge row={row} seen={seen} />
    </>
  )
}

/** How soon somebody wants it. */
export const priorityWords = { low: 'Low', normal: 'Normal', high: 'High', urgent: 'Urgent' } as const

/** Sends a card to another column without moving it by hand. */
export function MoveMenu({
  label,
  column,
  move,
}: {
  label: string
  column: TaskColumn
  move: (to: TaskColumn) => void
}): ReactNode {
  return (
    <select
      className="move small quiet"
      aria-label={label}
      value=""
      onMouseDown={(event) => event.stopPropagation()}
      onTouchStart={(event) => event.stopPropagation()}
      onChange={(event) => {
        const to = taskColumns.find((one) => one === event.target.value)
        if (to) move(to)
      }}
    >
      <option value="" disabled>
        Move to …
      </option>
      {taskColumns
        .filter((one) => one !== column)
        .map((one) => (
          <option key={one} value={one}>
            {columnWords[one]}
          </option>
        ))}
    </select>
  )
}
