import { useEffect } from 'react'

/** What is covered by less than this is a bar of the browser, not a keyboard. */
const keyboardPx = 120

/**
 * Keeps the frame as high as what a phone's keyboard leaves free, so that the message box stands above it. Most browsers do
 * so by themselves when asked (`interactive-widget` in index.html); others lay the keyboard over the page.
 */
export function useKeyboardRoom(): void {
  useEffect(() => {
    const seen = globalThis.visualViewport
    if (!seen) return undefined
    const root = document.documentElement
    const fit = (): void => {
      const heightPx = seen.height * seen.scale
      if (innerHeight - heightPx < keyboardPx) return void root.style.removeProperty('--screen')
      root.style.setProperty('--screen', `${Math.round(heightPx)}px`)
      // The browser has moved the page to show the box; the box is in sight without that now.
      scrollTo(0, 0)
    }
    seen.addEventListener('resize', fit)
    return () => {
      seen.removeEventListener('resize', fit)
      root.style.removeProperty('--screen')
    }
  }, [])
}
