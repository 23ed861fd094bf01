import type { ReactNode } from 'react'
import type { SeenRow } from '../list/seen-rows.ts'
import { useNow } from '../live/use-now.ts'
import { agoText, exactText } from '../text/time.ts'

/** How the queue of approvals stands, over all sessions that are shown; nothing where there is none. */
export function QueueLine({ sessions }: { sessions: readonly SeenRow[] }): ReactNode {
  const now = useNow(10_000)
  const sum = (of: (row: SeenRow) => number): number => sessions.reduce((total, row) => total + of(row), 0)
  const waiting = sum((row) => row.waitingApprovals)
  const underWay = sum((row) => row.answersUnderWay)
  const [oldest] = sessions.flatMap(({ oldestApprovalAt: at }) => at ?? []).toSorted()
  const aside = sum((row) => row.aside?.approvals ?? 0)
  const words = [
    `${sum((row) => row.openApprovals.length) - aside} to allow or deny`,
    aside > 0 ? `${aside} snoozed by you` : '',
    waiting > 0 ? `${waiting} more ${waiting === 1 ? 'waits' : 'wait'} behind them` : '',
    underWay > 0 ? `${underWay} ${underWay === 1 ? 'answer is' : 'answers are'} on the way to agents` : '',
  ].filter(Boolean)
  if (oldest === undefined && underWay === 0) return undefined
  return (
    <p className="small quiet more" role="status">
      {words.join(' · ')}
      {oldest !== undefined && (
        <>
          {' · '}
          <time dateTime={oldest} title={exactText(oldest)}>
            the oldest was asked {agoText(now - Date.parse(oldest))}
          </time>
        </>
      )}
    </p>
  )
}
