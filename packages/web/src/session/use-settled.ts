import { type RefObject, useEffect, useEffectEvent, useState } from 'react'

/** A list has settled when it was where it begins for so many frames in a row. */
const calmFrames = 3
/** Then it is shown as it is: on a slow machine, and where something comes all the time, it goes on settling in sight. */
const waitsMs = 700

/**
 * Whether a new list is at the place where it begins. It begins at its top and is led from there, which nobody needs to see.
 * It is told as settled after a moment in any case: a list that is hidden for as long as an agent speaks is worse
 * than one that moves. `isThere`: asked in each frame until then.
 */
export function useSettled(box: RefObject<HTMLDivElement | null>, isThere: (scroller: Element) => boolean): boolean {
  const [isSettled, setSettled] = useState(false)
  const look = useEffectEvent(() => {
    const scroller = box.current?.querySelector('.scroll')
    // A list without any row is not drawn yet; where nothing was said there is no list.
    return !scroller || (scroller.querySelector('.item') !== null && isThere(scroller))
  })
  useEffect(() => {
    let calm = 0
    const begun = performance.now()
    const onFrame = (): void => {
      calm = look() ? calm + 1 : 0
      if (calm >= calmFrames || performance.now() - begun > waitsMs) setSettled(true)
      else frame = requestAnimationFrame(onFrame)
    }
    let frame = requestAnimationFrame(onFrame)
    return () => cancelAnimationFrame(frame)
  }, [])
  return isSettled
}
