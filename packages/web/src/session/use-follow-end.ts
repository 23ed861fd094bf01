import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'

/** As near to its end a list counts as being there. */
export const endPx = 80

/** What a reader has unfolded opens in place for so long, without the list going to its end. */
const opensMs = 500

/**
 * For so long what was unfolded stays where it was: a list that was led to its end goes there again and again while
 * what it holds changes, a second and a little from the last time.
 */
const staysMs = 1_500

/** What unfolds something when it is pressed. */
const unfolds = 'summary, [aria-expanded]'

/** A list that got rows or another frame may set itself right for so long: it goes up then, and nobody has scrolled. */
const settlesMs = 300

/** What a reader has done with wheel, finger, key or scroll bar moves a list for so long. */
const movesMs = 1_000

/** What readers scroll with. A pointer that is pressed may hold the scroll bar. */
const scrolledWith = ['wheel', 'touchmove', 'keydown', 'pointerdown', 'pointermove'] as const

/** Whether a list is kept at its end, and the way back there. */
export interface FollowEnd {
  /** Of the element around the list. */
  box: RefObject<HTMLDivElement | null>
  atEnd: boolean
  /** Told by the list whether its end is in sight. */
  onEnd: (inSight: boolean) => void
  /** Told when what the list holds has become taller or shorter, as far as the list knows. */
  onHeight: (heightPx: number) => void
  /** The reader is taken elsewhere by a button. */
  leave: () => void
  /** Takes the reader to the end, and keeps them there. */
  toEnd: () => void
  /** Whether a reader has gone anywhere, or began at the end. Until then a list that begins elsewhere is on its way there. */
  isTaken: () => boolean
}

/**
 * Whether a reader is at the end of a list. They leave it by scrolling up, by whatever means; a frame that changes its size
 * (a phone is turned, a keyboard comes up, the message box grows) and words that grow take nobody away
 * from it. What they open opens in place. `begins`: where a reader is at first; `rows`: what
 * is in the list.
 */
export function useFollowEnd(begins: 'at the end' | 'elsewhere', rows: readonly unknown[]): FollowEnd {
  const box = useRef<HTMLDivElement>(null)
  const [atEnd, setAtEnd] = useState(begins === 'at the end')
  const followed = useRef(begins === 'at the end')
  const knownPx = useRef(Number.POSITIVE_INFINITY)
  const unfolded = useRef({ at: Number.NEGATIVE_INFINITY, element: undefined as Element | undefined, top: 0 })
  const movedAt = useRef(Number.NEGATIVE_INFINITY)
  /** The reader is where they are by what they did here. */
  const taken = useRef(begins === 'at the end')
  const grownAt = useRef(Number.NEGATIVE_INFINITY)
  useLayoutEffect(() => {
    grownAt.current = performance.now()
  }, [rows])
  const mark = useCallback((now: boolean) => {
    followed.current = now
    setAtEnd(now)
  }, [])
  const follow = useCallback(() => {
    // The list itself learns of a new size only later; the place of the end is known now.
    const scroller = box.current?.querySelector('.scroll')
    if (!followed.current || !scroller) return
    const leftPx = leftOf(scroller)
    // No further than the list has measured: beyond that it holds nothing, and would draw everything anew.
    const endTop = Math.min(scroller.scrollHeight, knownPx.current) - scroller.clientHeight
    if (performance.now() - unfolded.current.at >= opensMs) scroller.scrollTop = Math.max(0, endTop)
    else if (leftPx > endPx) mark(false)
  }, [mark])
  const onEnd = useCallback(
    (inSight: boolean) => {
      // A list that is begun elsewhere has its end in sight for a moment, before it is led there.
      if (!inSight) follow()
      else if (taken.current) mark(true)
    },
    [follow, mark],
  )
  useEffect(() => {
    const element = box.current
    if (!element) return undefined
    let last = { scrollTop: 0, clientHeight: 0, scrollHeight: 0 }
    const stay = (scroller: HTMLElement): void => {
      const { at, element: opened, top } = unfolded.current
      const isReader = movedAt.current > at || performance.now() - at > staysMs
      if (!isReader && !followed.current && opened?.isConnected === true)
        scroller.scrollTop += opened.getBoundingClientRect().top - top
    }
    const onScroll = ({ target }: Event): void => {
      if (!(target instanceof HTMLElement) || !target.classList.contains('scroll')) return
      stay(target)
      const { scrollTop, clientHeight, scrollHeight } = target
      const sameFrame = clientHeight === last.clientHeight && scrollHeight >= last.scrollHeight
      const up = scrollTop < last.scrollTop && leftOf(target) > endPx
      last = { scrollTop, clientHeight, scrollHeight }
      const now = performance.now()
      const isReader = now - movedAt.current < movesMs || now - grownAt.current > settlesMs
      if (!up) return
      if (sameFrame && isReader) mark(false)
      else if (!isReader) requestAnimationFrame(follow)
    }
    const onMove = (event: Event): void => {
      if (event instanceof PointerEvent && event.buttons === 0) return
      movedAt.current = performance.now()
      taken.current = true
    }
    const onClick = ({ target }: Event): void => {
      const opened = target instanceof Element && target.closest(unfolds)
      if (opened) unfolded.current = { at: performance.now(), element: opened, top: opened.getBoundingClientRect().top }
    }
    for (const type of scrolledWith) element.addEventListener(type, onMove, { passive: true, capture: true })
    element.addEventListener('click', onClick, { capture: true })
    element.addEventListener('scroll', onScroll, { passive: true, capture: true })
    const observer = new ResizeObserver(() => {
      grownAt.current = performance.now()
      follow()
    })
    observer.observe(element)
    return () => {
      observer.disconnect()
      for (const type of scrolledWith) element.removeEventListener(type, onMove, { capture: true })
      element.removeEventListener('click', onClick, { capture: true })
      element.removeEventListener('scroll', onScroll, { capture: true })
    }
  }, [follow, mark])
  const onHeight = useCallback(
    (heightPx: number) => {
      knownPx.current = heightPx
      follow()
    },
    [follow],
  )
  const leave = useCallback(() => {
    taken.current = true
    mark(false)
  }, [mark])
  const toEnd = useCallback(() => {
    taken.current = true
    mark(true)
    follow()
  }, [follow, mark])
  const isTaken = useCallback(() => taken.current, [])
  return { box, atEnd, onEnd, onHeight, leave, toEnd, isTaken }
}

/** So much of what a list holds is below its lower edge, in px. */
export function leftOf(scroller: Element): number {
  return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight
}
