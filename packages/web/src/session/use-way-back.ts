import { type RefObject, useEffect, useEffectEvent } from 'react'
import type { VirtuosoHandle } from 'react-virtuoso'
import type { Place } from './unread.ts'

/** A list is there when nothing has moved it for so many looks. */
const calmLooks = 3
const lookMs = 100
/** Then it stays where it is: what stood there may have become shorter than what was above the edge. */
const looksMax = 100
/** Sizes are no whole pixels. */
const nearPx = 2

/**
 * Leads a list to the place where it begins, until it is there or a reader takes it elsewhere. A list that was told where to
 * begin hides itself until none of its rows changes, and pulls a reader back there for as long.
 */
export function useWayBack({
  to,
  indexNow,
  list,
  box,
  isTaken,
}: {
  /** Undefined for a list that begins at its end. */
  to: Place | undefined
  /** Where the item stands in the list now. */
  indexNow: (key: string) => number
  list: RefObject<VirtuosoHandle | null>
  box: RefObject<HTMLDivElement | null>
  isTaken: () => boolean
}): void {
  const goOn = useEffectEvent(({ key, offset }: Place): 'there' | 'on the way' => {
    if (isOver(box.current, key, offset)) return 'there'
    const index = indexNow(key)
    if (index >= 0) list.current?.scrollToIndex({ index, align: 'start', offset })
    return 'on the way'
  })
  const isLeft = useEffectEvent(isTaken)
  useEffect(() => {
    if (!to) return undefined
    goOn(to)
    let looks = 0
    let calm = 0
    const timer = setInterval(() => {
      looks += 1
      if (isLeft() || looks > looksMax || calm >= calmLooks) clearInterval(timer)
      else calm = goOn(to) === 'there' ? calm + 1 : 0
    }, lookMs)
    return () => clearInterval(timer)
  }, [to])
}

/** Whether so much of the item is above the upper edge. */
export function isOver(box: HTMLElement | null, key: string, offset: number): boolean {
  const item = box?.querySelector(`.item[data-key="${CSS.escape(key)}"]`)
  if (!box || !item) return false
  return Math.abs(box.getBoundingClientRect().top - item.getBoundingClientRect().top - offset) <= nearPx
}
