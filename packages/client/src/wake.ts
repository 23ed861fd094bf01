/** What a browser has and other runtimes may lack. */
interface Page {
  addEventListener?: (type: string, listener: () => void) => void
  removeEventListener?: (type: string, listener: () => void) => void
  document?: { visibilityState: string }
}

/**
 * Calls when the page can be seen again, comes back from the browser's cache, or the network is back: moments at which a
 * connection may have died without a word. Where there is no page it never calls. The answer ends it.
 */
export function watchWake(wake: () => void): () => void {
  const page = globalThis as unknown as Page
  const seen = (): void => {
    if (page.document?.visibilityState !== 'hidden') wake()
  }
  const moments = ['online', 'visibilitychange', 'pageshow'] as const
  for (const moment of moments) page.addEventListener?.(moment, seen)
  return () => {
    for (const moment of moments) page.removeEventListener?.(moment, seen)
  }
}
