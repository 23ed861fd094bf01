import type { RecoveredItem } from '@hotline/core/transcript/item'
import type { ReactNode } from 'react'
import { Legible } from '../parts/legible.tsx'

/** What a machine still delivered after the session was taken over from it: to be read, and nothing follows from it. */
export function Recovered({ item }: { item: RecoveredItem }): ReactNode {
  const { count, lines } = item
  return (
    <details className="step">
      <summary>
        <span>{`From the former machine, delivered after it was taken over: ${count} ${count === 1 ? 'entry' : 'entries'}`}</span>
      </summary>
      <p className="quiet">It is kept to be read. It is no part of this conversation, and changed nothing in it.</p>
      {lines.map((line, at) => (
        // oxlint-disable-next-line react/no-array-index-key -- lines only come at the end, or fall away at the beginning
        <div key={at}>
          <Legible text={line} place="prose" />
        </div>
      ))}
    </details>
  )
}
