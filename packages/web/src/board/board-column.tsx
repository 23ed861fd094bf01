import { useDroppable } from '@dnd-kit/core'
import type { ColumnPicture } from '@hotline/client/task-board'
import type { TaskColumn } from '@hotline/protocol/task'
import { type ReactNode, useId } from 'react'
import type { SeenRow } from '../list/seen-rows.ts'
import { columnWords } from './places.ts'
import { TaskCard } from './task-card.tsx'
import { tabProps } from '../parts/tab-list.tsx'

/** How many cards a column has, as far as they were read. */
export function countOf({ tasks, hasMore }: ColumnPicture): string {
  return `${tasks.length}${hasMore ? '+' : ''}`
}

/** One column with its cards; what is dropped on it comes to its end. */
export function BoardColumn({
  column,
  picture,
  seen,
  move,
  more,
}: {
  column: TaskColumn
  picture: ColumnPicture
  seen: ReadonlyMap<string, SeenRow>
  move: ((task: string, to: TaskColumn) => void) | undefined
  more: () => void
}): ReactNode {
  const drop = useDroppable({ id: `column:${column}` })
  const title = useId()
  return (
    <section ref={drop.setNodeRef} className={`column${drop.isOver ? ' under' : ''}`} aria-labelledby={title}>
      <h2 id={title}>
        {columnWords[column]} <span>{countOf(picture)}</span>
      </h2>
      <ul>
        {picture.tasks.map((row) => (
          <TaskCard
            key={row.task}
            row={row}
            seen={seen.get(row.sessions[0]?.session ?? '')}
            move={move && ((to) => move(row.task, to))}
          />
        ))}
      </ul>
      {picture.hasMore && (
        <button type="button" className="button plain" onClick={more}>
          Show more
        </button>
      )}
    </section>
  )
}

/** Chooses the column that a phone shows; a card can be dropped on it too. */
export function ColumnTab({
  column,
  picture,
  isShown,
  show,
}: {
  column: TaskColumn
  picture: ColumnPicture
  isShown: boolean
  show: () => void
}): ReactNode {
  const drop = useDroppable({ id: `tab:${column}` })
  return (
    <button
      ref={drop.setNodeRef}
      type="button"
      {...tabProps(isShown)}
      className={`button plain${drop.isOver ? ' under' : ''}`}
      onClick={show}
    >
      {columnWords[column]} <span className="quiet">{countOf(picture)}</span>
    </button>
  )
}
