import type { SessionRow } from '@hotline/protocol/http'
import type { ReactNode } from 'react'
import { useNow } from '../live/use-readable.ts'
import { agoText, exactText } from '../text/time.ts'

/** How the queue of approvals stands, over all sessions that are shown; nothing where there is none. */
export function QueueLine({ sessions }: { sessions: readonly SessionRow[] }): ReactNode {
  const now = useNow(10_000)
  const sum = (of: (row: SessionRow) => number): number => sessions.reduce((total, row) => total + of(row), 0)
  const waiting = sum((row) => row.waitingApprovals)
  const underWay = sum((row) => row.answersUnderWay)
  const [oldest] = sessions.flatMap(({ oldestApprovalAt: at }) => at ?? []).toSorted()
  const words = [
    `${sum((row) => row.openApprovals.length)} to allow or deny`,
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
