import {
  type CollisionDetection,
  DndContext,
  type DragEndEvent,
  DragOverlay,
  MouseSensor,
  pointerWithin,
  TouchSensor,
  useSensor,
  useSensors,
} from '@dnd-kit/core'
import type { BoardPicture, TaskPlace } from '@hotline/client/task-board'
import { taskColumns, type TaskRow } from '@hotline/protocol/task'
import { type ReactNode, useState } from 'react'
import type { SeenRow } from '../list/seen-rows.ts'
import { placeBeside, placeIn } from './places.ts'
import { CardFace } from './task-card.tsx'

/** A press becomes a drag after so many pixels, so that it can still be a click. */
const holdPx = 6
/** A finger that rests for so long holds the card; before that it scrolls, also when it strays by more than `strayPx`. */
const longPressMs = 250
const strayPx = 8

/** The page says itself what became of a move, also of one by keys. */
const silence = {
  announcements: {
    onDragStart: () => undefined,
    onDragOver: () => undefined,
    onDragEnd: () => undefined,
    onDragCancel: () => undefined,
  },
}

/** In it cards are moved by mouse, or by finger after a long press; Escape lets go where it was. */
export function DragRoom({
  columns,
  seen,
  put,
  children,
}: {
  columns: BoardPicture['columns']
  seen: ReadonlyMap<string, SeenRow>
  put: (row: TaskRow, place: TaskPlace) => void
  children: ReactNode
}): ReactNode {
  const [held, setHeld] = useState<string>()
  const sensors = useSensors(
    useSensor(MouseSensor, { activationConstraint: { distance: holdPx } }),
    useSensor(TouchSensor, { activationConstraint: { delay: longPressMs, tolerance: strayPx } }),
  )
  const find = (task: unknown): TaskRow | undefined =>
    taskColumns.flatMap((column) => columns[column].tasks).find((row) => row.task === task)
  const row = find(held)

  function end({ active, over }: DragEndEvent): void {
    setHeld(undefined)
    const moved = find(active.id)
    if (!moved || !over) return
    const to = taskColumns.find((column) => over.id === `column:${column}` || over.id === `tab:${column}`)
    if (to) {
      // On a column of its own it was only picked up.
      if (to !== moved.column) put(moved, placeIn({ columns, to, task: moved.task }))
      return
    }
    const other = find(over.id)
    const rect = active.rect.current.translated
    if (!other || !rect) return
    const isAbove = rect.top + rect.height / 2 < over.rect.top + over.rect.height / 2
    const place = placeBeside(columns, moved.task, other, isAbove ? 'before' : 'after')
    if (place) put(moved, place)
  }

  return (
    <DndContext
      sensors={sensors}
      collisionDetection={cardsFirst}
      accessibility={silence}
      onDragStart={({ active }) => setHeld(String(active.id))}
      onDragCancel={() => setHeld(undefined)}
      onDragEnd={end}
    >
      {children}
      <DragOverlay dropAnimation={null}>
        {row && (
          <div className="board-card lifted">
            <CardFace row={row} seen={seen.get(row.sessions[0]?.session ?? '')} />
          </div>
        )}
      </DragOverlay>
    </DndContext>
  )
}

/** A card is in its column: of both, what is under the pointer is the card. */
const cardsFirst: CollisionDetection = (args) => {
  const hits = pointerWithin(args)
  const card = hits.find(({ id }) => !String(id).includes(':'))
  return card ? [card] : hits
}
