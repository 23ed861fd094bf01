/** What a browser has and other runtimes may lack. */
interface Page {
  addEventListener?: (type: string, listener: (event: { persisted?: boolean }) => void) => void
  removeEventListener?: (type: string, listener: (event: { persisted?: boolean }) => void) => void
  document?: Page
}

/**
 * Tells when the browser is about to put the page to sleep (frozen, kept for the way back, or gone for good), and when it
 * runs again. Where there is no page it tells nothing. The answer ends it.
 */
export function watchLife(sleeps: () => void, wakes: () => void): () => void {
  const page = globalThis as unknown as Page
  const shown = ({ persisted }: { persisted?: boolean }): void => {
    if (persisted) wakes()
  }
  page.addEventListener?.('pagehide', sleeps)
  page.addEventListener?.('pageshow', shown)
  page.document?.addEventListener?.('freeze', sleeps)
  page.document?.addEventListener?.('resume', wakes)
  return () => {
    page.removeEventListener?.('pagehide', sleeps)
    page.removeEventListener?.('pageshow', shown)
    page.document?.removeEventListener?.('freeze', sleeps)
    page.document?.removeEventListener?.('resume', wakes)
  }
}
