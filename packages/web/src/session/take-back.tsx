import type { ApprovalItem } from '@hotline/core/transcript/item'
import type { Problem } from '@hotline/protocol/error'
import { type ReactNode, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { Refusal } from '../parts/refusal.tsx'

/** Something was allowed, and what became of that answer is not known: it is on its way, or waits for its machine. */
export function isUnderWay({ outcome, dispatch, recalledBy }: ApprovalItem): boolean {
  const wasAllowed = outcome === 'allowed' || outcome === 'allowed_modified'
  return wasAllowed && dispatch === undefined && recalledBy === undefined
}

/** Takes back what was allowed while the machine that would hand it over is away, or its agent stands still. */
export function TakeBack({
  approval,
  session,
  isAway,
}: {
  approval: string
  session: string
  isAway: boolean
}): ReactNode {
  const { link } = useLive()
  const [sent, setSent] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  async function takeBack(): Promise<void> {
    setSent(true)
    const outcome = await link.command(`session:${session}`, 'approval.recall', { approval })
    setProblem(outcome.ok ? undefined : outcome.problem)
    setSent(outcome.ok)
  }
  return (
    <div className="row take-back small">
      <span className="quiet">
        {isAway ? 'Allowed, waiting for the machine.' : 'Allowed; the agent hears it when it goes on.'}
      </span>
      <button type="button" className="button plain small" disabled={sent} onClick={() => void takeBack()}>
        Take back
      </button>
      <Refusal problem={problem} look="notice" />
    </div>
  )
}
