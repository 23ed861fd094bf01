import { type RefObject, type UIEventHandler, useEffect, useRef, useState } from 'react'

/** Whether all that a frame holds was before somebody's eyes. */
export interface Seen {
  frame: RefObject<HTMLDivElement | null>
  seen: boolean
  /** They went to its end; a frame that shows all of itself needs none of that. */
  read: RefObject<boolean>
  onScroll: UIEventHandler<HTMLElement>
}

/** Watches a frame for as long as it is `open` and holds what it is to hold. `before`: it was read on an earlier visit. */
export function useSeen(before: boolean, open: boolean, isHere: boolean): Seen {
  const frame = useRef<HTMLDivElement>(null)
  const read = useRef(before)
  const [seen, setSeen] = useState(before)
  useEffect(() => {
    const box = frame.current
    if (!box) return
    // A frame that shrinks (a phone is turned) hides again what had fitted.
    const resized = new ResizeObserver(() => setSeen(read.current || isAtEnd(box)))
    resized.observe(box)
    return () => resized.disconnect()
  }, [open, isHere])
  return {
    frame,
    seen,
    read,
    onScroll: ({ currentTarget: box }) => {
      if (!isAtEnd(box)) return
      read.current = true
      setSeen(true)
    },
  }
}

/** Whether nothing of what the frame holds is below its lower edge, or still to come. */
function isAtEnd(box: HTMLElement): boolean {
  const isWhole = box.querySelector('[data-more]') === null
  return isWhole && box.scrollTop + box.clientHeight >= box.scrollHeight - 4
}
