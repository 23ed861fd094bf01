import type { Problem } from '@hotline/protocol/error'
import { useEffect, useEffectEvent, useState } from 'react'
import type { Row } from './fold-steps.ts'
import type { Place } from './unread.ts'
import { seqOf } from './use-unread.ts'

/** More than fits any frame. Of what a program printed a whole window may hold no row at all. */
const enoughRows = 40
/** So many older windows are read for rows that fill the frame, and to come back to where somebody was: 5,000 events. */
const fillWindows = 10
const backWindows = 25

/**
 * Reads older windows before anything is drawn, until there is enough to draw and, where this tab had scrolled up, until
 * that place is there: a list that gets its beginning while it looks for where to begin finds neither. False until then.
 */
export function useFilled({
  rows,
  kept,
  hasOlder,
  loadOlder,
}: {
  rows: readonly Row[]
  kept: Place | undefined
  hasOlder: boolean
  loadOlder: () => Promise<Problem | undefined>
}): boolean {
  const [first] = rows
  const isBack =
    !kept || (first !== undefined && (seqOf(first) <= kept.seq || rows.some(({ key }) => key === kept.key)))
  const [read, setRead] = useState(0)
  const [isFilled, setFilled] = useState(false)
  const isEnough = (rows.length >= enoughRows || read >= fillWindows) && (isBack || read >= backWindows)
  const isDone = isFilled || !hasOlder || isEnough
  const readOne = useEffectEvent(() => loadOlder())
  useEffect(() => {
    if (isDone) return setFilled(true)
    let isOver = false
    void readOne().then((problem) => {
      if (isOver) return
      // Out of contact, what is here is shown.
      if (problem) setFilled(true)
      else setRead((count) => count + 1)
    })
    return () => {
      isOver = true
    }
  }, [isDone, read])
  return isDone
}
