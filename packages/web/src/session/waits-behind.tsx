import type { ReactNode } from 'react'

/** How many approvals come after those that are shown; nothing where there are none. */
export function WaitsBehind({ count }: { count: number }): ReactNode {
  if (count === 0) return undefined
  return (
    <p className="notice behind" role="status">
      {count} more {count === 1 ? 'waits' : 'wait'} behind these; the next comes up when one is answered.
    </p>
  )
}
