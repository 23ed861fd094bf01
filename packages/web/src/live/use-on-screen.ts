import { type RefObject, useEffect, useState } from 'react'

/** How long something has been in sight before a key can mean it. */
const sightMs = 400
/** How much of it, or of the screen, must be in sight. */
const partSeen = 0.6

/** Whether an element has been in sight for a moment; false while `watched` is false. */
export function useOnScreen(element: RefObject<HTMLElement | null>, watched: boolean): boolean {
  const [inSight, setInSight] = useState(false)
  useEffect(() => {
    const box = element.current
    if (!box || !watched) return undefined
    let timer: ReturnType<typeof setTimeout> | undefined
    const observer = new IntersectionObserver(
      (entries) => {
        // Several wait together when the page was busy; the last one is how it stands.
        const entry = entries.at(-1)
        clearTimeout(timer)
        const height = entry?.intersectionRect.height ?? 0
        const enough = (entry?.intersectionRatio ?? 0) >= partSeen || height >= partSeen * innerHeight
        if (enough) timer = setTimeout(() => setInSight(true), sightMs)
        else setInSight(false)
      },
      { threshold: [0, 0.25, partSeen, 1] },
    )
    observer.observe(box)
    return () => {
      observer.disconnect()
      clearTimeout(timer)
      setInSight(false)
    }
  }, [element, watched])
  return inSight
}

/** Tells whether anything at all of an element is on the screen, and undefined when that is not watched any more. */
export function useAnyOnScreen(
  element: RefObject<HTMLElement | null>,
  watched: boolean,
  tell: (isSeen: boolean | undefined) => void,
): void {
  useEffect(() => {
    const box = element.current
    if (!box || !watched) return undefined
    const observer = new IntersectionObserver((entries) => tell(entries.at(-1)?.isIntersecting))
    observer.observe(box)
    return () => {
      observer.disconnect()
      tell(undefined)
    }
  }, [element, watched, tell])
}
