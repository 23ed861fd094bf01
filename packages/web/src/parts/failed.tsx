import type { Problem } from '@hotline/protocol/error'
import type { ReactNode } from 'react'

/** What could not be shown, why, and another try; `children` for a way back. */
export function Failed({
  what,
  problem,
  retry,
  children,
}: {
  what: string
  problem: Pick<Problem, 'detail'> | undefined
  retry: () => void
  children?: ReactNode
}): ReactNode {
  return (
    <div className="empty" role="alert">
      <h1>{what}</h1>
      <p>{problem?.detail ?? 'The server did not say why.'}</p>
      <button type="button" className="button" onClick={retry}>
        Try again
      </button>
      {children}
    </div>
  )
}
