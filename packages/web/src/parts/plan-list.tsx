import type { PlanItem } from '@hotline/core/transcript/item'
import type { ReactNode } from 'react'
import { Legible } from './legible.tsx'

const marks = { completed: '✓', in_progress: '→', pending: '○' } as const

/** What an agent means to do, and how far it is. */
export function PlanList({ entries }: Pick<PlanItem, 'entries'>): ReactNode {
  return (
    <ul className="plain plan" aria-label="Plan">
      {entries.map((entry) => (
        <li key={entry.text} className={entry.status === 'completed' ? 'quiet' : ''}>
          {marks[entry.status]} <Legible text={entry.text} place="name" />
        </li>
      ))}
    </ul>
  )
}
