import { type RefObject, useEffect, useEffectEvent } from 'react'
import { keepPlace, type Place } from './unread.ts'

/** Remembers where somebody has scrolled to, for when this tab is loaded anew. */
export function useKeptPlace({
  session,
  seqOf,
  box,
  atEnd,
  isTaken,
}: {
  session: string
  /** Where an item begins in the log. */
  seqOf: (key: string) => number
  box: RefObject<HTMLDivElement | null>
  atEnd: boolean
  /** Until then it is kept as it was. */
  isTaken: () => boolean
}): void {
  const note = useEffectEvent(() => {
    if (!isTaken()) return
    const here = atEnd ? undefined : placeIn(box.current)
    keepPlace(session, here && { ...here, seq: seqOf(here.key) })
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
function placeIn(box: HTMLElement | null): Omit<Place, 'seq'> | undefined {
  const top = box?.getBoundingClientRect().top ?? 0
  for (const item of box?.querySelectorAll<HTMLElement>('.item[data-key]') ?? []) {
    const { top: from, bottom } = item.getBoundingClientRect()
    const key = item.dataset['key']
    if (bottom > top && key !== undefined) return { key, offset: Math.round(top - from) }
  }
  return undefined
}
