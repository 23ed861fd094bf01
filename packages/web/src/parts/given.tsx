import type { ReactNode } from 'react'

/** What an agent gave or was given, however long: it scrolls in a frame that the keyboard reaches. */
export function Given({ what, children }: { what: string; children: ReactNode }): ReactNode {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, so the keyboard must reach it
    <div className="given" tabIndex={0} role="group" aria-label={what}>
      {children}
    </div>
  )
}
