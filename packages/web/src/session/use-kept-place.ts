import { type RefObject, useEffect, useEffectEvent, useRef } from 'react'
import type { VirtuosoHandle } from 'react-virtuoso'
import { keepPlace, type Place } from './unread.ts'

/** So many older windows are read to come back to where somebody was. */
const windowsBack = 10

/** Remembers where somebody has scrolled to, and brings them back there, also where that was not loaded at once. */
export function useKeptPlace({
  session,
  kept,
  items,
  box,
  atEnd,
  list,
  hasOlder,
  loadOlder,
}: {
  session: string
  kept: Place | undefined
  items: readonly { key: string }[]
  box: RefObject<HTMLDivElement | null>
  atEnd: boolean
  list: RefObject<VirtuosoHandle | null>
  hasOlder: boolean
  loadOlder: () => void
}): void {
  const sought = useRef(kept && !items.some(({ key }) => key === kept.key) ? windowsBack : 0)
  /** Once for each window that came in front, whatever comes at the end meanwhile. */
  const seek = useEffectEvent(() => {
    if (sought.current === 0 || !kept) return
    const index = items.findIndex(({ key }) => key === kept.key)
    sought.current = index >= 0 || !hasOlder ? 0 : sought.current - 1
    if (index >= 0) list.current?.scrollToIndex({ index, align: 'start', offset: kept.offset })
    else if (sought.current > 0) loadOlder()
  })
  const first = items[0]?.key
  useEffect(() => seek(), [first])
  const note = useEffectEvent(() => {
    if (sought.current > 0) return
    keepPlace(session, atEnd ? undefined : placeIn(box.current))
  })
  useEffect(() => {
    const element = box.current
    let frame = 0
    const onScroll = (): void => {
      cancelAnimationFrame(frame)
      frame = requestAnimationFrame(note)
    }
    element?.addEventListener('scroll', onScroll, { passive: true, capture: true })
    return () => {
      cancelAnimationFrame(frame)
      element?.removeEventListener('scroll', onScroll, { capture: true })
    }
  }, [box])
  useEffect(() => note(), [atEnd])
}

/** The first item in sight, and how much of it is above the edge. */
function placeIn(box: HTMLElement | null): Place | undefined {
  const top = box?.getBoundingClientRect().top ?? 0
  for (const item of box?.querySelectorAll<HTMLElement>('.item[data-key]') ?? []) {
    const { top: from, bottom } = item.getBoundingClientRect()
    const key = item.dataset['key']
    if (bottom > top && key !== undefined) return { key, offset: Math.round(top - from) }
  }
  return undefined
}
