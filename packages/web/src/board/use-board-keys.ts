import type { BoardPicture, TaskPlace } from '@hotline/client/task-board'
import type { TaskRow } from '@hotline/protocol/task'
import { type KeyboardEvent, useLayoutEffect, useRef } from 'react'
import { cardTowards, type Direction, placeTowards } from './places.ts'

const directions: Readonly<Record<string, Direction>> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
  h: 'left',
  l: 'right',
  k: 'up',
  j: 'down',
}

/** Arrows (or `h j k l`) go from card to card, with Shift they take the card along; the keyboard stays on the card it moved. */
export function useBoardKeys(
  columns: BoardPicture['columns'],
  move: ((row: TaskRow, place: TaskPlace) => void) | undefined,
): (event: KeyboardEvent) => void {
  const held = useRef<string>(undefined)
  useLayoutEffect(() => {
    if (held.current === undefined) return
    focusCard(held.current)
    held.current = undefined
  }, [columns])
  return (event) => {
    const direction = directions[event.key.length === 1 ? event.key.toLowerCase() : event.key]
    const task = event.target instanceof HTMLElement ? event.target.dataset['task'] : undefined
    if (!direction || task === undefined || event.altKey || event.ctrlKey || event.metaKey) return
    const row = Object.values(columns)
      .flatMap(({ tasks }) => tasks)
      .find((one) => one.task === task)
    if (!row) return
    event.preventDefault()
    if (!event.shiftKey) {
      const next = cardTowards(columns, row, direction)
      if (next) focusCard(next.task)
      return
    }
    const place = move && placeTowards(columns, row, direction)
    if (!place) return
    held.current = task
    move(row, place)
  }
}

function focusCard(task: string): void {
  document.querySelector<HTMLElement>(`.board [data-task="${CSS.escape(task)}"]`)?.focus()
}
