/** A hidden page paints no frames, but its title and its badge should still be true. */
const hiddenMs = 250

/** What a browser has and other runtimes may lack. */
interface Screen {
  requestAnimationFrame?: (paint: () => void) => number
}

/** Joins many changes into one painting. */
export interface Painter {
  /** Paints once soon, however often it is called until then: with the next frame, or at once where there is no screen. */
  soon(): void
  /** Paints now what would be painted soon. */
  now(): void
  /** Paints nothing any more. */
  stop(): void
}

/** Gathers changes, so that watchers hear of a flood of events at most once per frame. */
export function openPainter(paint: () => void): Painter {
  const screen = globalThis as unknown as Screen
  let due = false
  let stopped = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const now = (): void => {
    if (!due || stopped) return
    due = false
    clearTimeout(timer)
    paint()
  }
  return {
    soon: () => {
      if (due || stopped) return
      due = true
      if (!screen.requestAnimationFrame) return queueMicrotask(now)
      screen.requestAnimationFrame(now)
      timer = setTimeout(now, hiddenMs)
    },
    now,
    stop: () => {
      stopped = true
      clearTimeout(timer)
    },
  }
}
