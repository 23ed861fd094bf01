import type { Problem } from '@hotline/protocol/error'
import { type ReactNode, useState } from 'react'
import { Refusal } from '../parts/refusal.tsx'
import type { UndoActs } from './undo-card.tsx'

/** Asks what it would do to take back a turn; the answer stands below the conversation. */
export function UndoTurn({ turn, acts }: { turn: string; acts: UndoActs }): ReactNode {
  const [problem, setProblem] = useState<Problem>()
  return (
    <>
      <button type="button" className="button plain" onClick={() => void acts.plan({ turn }).then(setProblem)}>
        Undo this turn …
      </button>
      <Refusal problem={problem} look="facts" />
    </>
  )
}
