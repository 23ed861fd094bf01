import type { ReactNode } from 'react'
import { useLive } from '../live/hotline.tsx'
import { useReadable } from '@hotline/client/use-readable'
import { BringBack } from '../session/snooze.tsx'
import { clockText, exactText } from '../text/time.ts'
import type { Need } from './arrange-asks.ts'
import { NeedRow } from './need-row.tsx'

/** What this person has put aside, folded away, with when it comes back; nothing where there is none. */
export function SnoozedRows({
  needs,
  open,
  now,
  projectOf,
}: {
  needs: readonly Need[]
  /** The key of what is shown beside the list. */
  open: string | undefined
  now: number
  projectOf: (need: Need) => string | undefined
}): ReactNode {
  const { snoozes } = useLive()
  const snoozed = useReadable(snoozes.picture)
  const untilOf = ({ key }: Need): string => snoozed.get(key) ?? ''
  if (needs.length === 0) return undefined
  const sorted = needs.toSorted((a, b) => (untilOf(a) < untilOf(b) ? -1 : 1))
  return (
    <details className="snoozed">
      <summary>Snoozed ({needs.length})</summary>
      {sorted.map((need) => (
        <div key={need.key}>
          <NeedRow
            need={need}
            isGrouped={false}
            isOpen={need.key === open}
            standing="aside"
            isMarked={false}
            now={now}
            showProject={projectOf(need)}
          />
          {need.ask && (
            <p className="small quiet">
              <span>
                back at{' '}
                <time dateTime={untilOf(need)} title={exactText(untilOf(need))}>
                  {clockText(untilOf(need), now)}
                </time>
              </span>
              <BringBack session={need.session} ask={need.ask.row.ask} />
            </p>
          )}
        </div>
      ))}
    </details>
  )
}
