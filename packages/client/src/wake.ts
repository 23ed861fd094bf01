/** The part of a window or a document that is used here. */
interface Ears {
  addEventListener?: (type: string, listener: () => void) => void
  removeEventListener?: (type: string, listener: () => void) => void
}

/** What a browser has and other runtimes may lack. */
interface Page extends Ears {
  document?: Ears & { visibilityState: string }
}

/**
 * Calls when the page can be seen again or has the focus again, comes back from the browser's cache, or the network is back:
 * moments at which a connection may have died without a word. Where there is no page it never calls. The answer ends it.
 */
export function watchWake(wake: () => void): () => void {
  const page = globalThis as unknown as Page
  const seen = (): void => {
    if (page.document?.visibilityState !== 'hidden') wake()
  }
  const moments = ['online', 'pageshow', 'focus'] as const
  for (const moment of moments) page.addEventListener?.(moment, seen)
  page.document?.addEventListener?.('visibilitychange', seen)
  return () => {
    for (const moment of moments) page.removeEventListener?.(moment, seen)
    page.document?.removeEventListener?.('visibilitychange', seen)
  }
}
