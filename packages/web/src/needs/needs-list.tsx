import { askKey } from '@hotline/client/inbox'
import { useNavigate, useParams } from '@tanstack/react-router'
import { type ReactNode, useMemo, useRef, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { useNow, useReadable } from '../live/use-readable.ts'
import { Failed } from '../parts/failed.tsx'
import { ListSkeleton } from '../parts/skeletons.tsx'
import { fits, hold, inOrder, type Need, type NeedFilter, needsOf, withHeadings } from './arrange-asks.ts'
import { MarkedBar } from './marked-bar.tsx'
import { NeedFilters } from './need-filters.tsx'
import { NeedRow } from './need-row.tsx'
import { QueueLine } from './queue-line.tsx'
import { useNeeds } from './needs-context.tsx'
import { useNeedKeys } from './use-need-keys.ts'

/** Lines that are drawn; nobody looks further down before those are answered. */
const shownMax = 200

/** All that waits for this person, across sessions: the riskiest first, then what waits longest. */
export function NeedsList(): ReactNode {
  const { list, me } = useLive()
  const { inbox, marked } = useNeeds()
  const { sessions } = useReadable(list.picture)
  const { status, asks, further, problem } = useReadable(inbox.picture)
  const now = useNow(10_000)
  const navigate = useNavigate()
  const { session, ask } = useParams({ strict: false })
  const open = session !== undefined && ask !== undefined ? askKey(session, ask) : undefined
  const [filter, setFilter] = useState<NeedFilter>({})
  const [pointing, setPointing] = useState(false)
  const all = useMemo(() => needsOf(asks, sessions), [asks, sessions])
  const { needs, waiting } = useHeld(all, filter, { holding: pointing, kept: open })
  const live = useMemo(() => new Set(all.map(({ key }) => key)), [all])
  const names = new Map(me.projects.map(({ project, name }) => [project, name]))
  const shown = needs.slice(0, shownMax)
  const byKey = new Map(shown.map((need) => [need.key, need]))

  useNeedKeys(
    shown.filter((need) => need.ask).map(({ key }) => key),
    open,
    (key) => {
      const need = byKey.get(key)
      if (!need?.ask) return
      const params = { session: need.session, ask: need.ask.row.ask }
      void navigate({ to: '/needs/$session/$ask', params, replace: open !== undefined })
    },
  )
  if (status === 'loading') return <ListSkeleton />
  if (status === 'failed')
    return <Failed what="What needs you cannot be shown." problem={problem} retry={() => list.refresh()} />
  const left = needs.length - shown.length + further
  return (
    <div
      className="rows"
      onPointerEnter={(event) => {
        if (event.pointerType === 'mouse') setPointing(true)
      }}
      onPointerLeave={() => setPointing(false)}
    >
      <QueueLine sessions={sessions} />
      <NeedFilters needs={all} filter={filter} change={setFilter} />
      {waiting > 0 && (
        <button type="button" className="button plain fresh" onClick={() => setPointing(false)}>
          {waiting} new ↑
        </button>
      )}
      <div className="scroll">
        {withHeadings(shown).map((entry) =>
          'need' in entry ? (
            <NeedRow
              key={entry.need.key}
              need={entry.need}
              isGrouped={entry.isGrouped}
              isOpen={entry.need.key === open}
              isGone={!live.has(entry.need.key)}
              isMarked={marked.has(entry.need.key)}
              now={now}
              showProject={me.projects.length > 1 ? (names.get(entry.need.project) ?? entry.need.project) : undefined}
            />
          ) : (
            <h2 key={entry.key} className="needs">
              <span className="mono">{entry.heading}</span> ×{entry.count}
            </h2>
          ),
        )}
        {left > 0 && (
          <p className="small quiet more">
            {left} more {left === 1 ? 'waits' : 'wait'}; {problem ? problem.detail : 'they come as these are answered.'}
          </p>
        )}
        {needs.length === 0 && left === 0 && (
          <p className="empty">
            {all.length === 0
              ? 'Nothing needs you. What an agent asks of you stands here first.'
              : 'Nothing of that kind needs you.'}
          </p>
        )}
      </div>
      <MarkedBar />
    </div>
  )
}

/** What is shown, in its order; held where somebody points at it, and anew as soon as they look for something else. */
function useHeld(
  all: readonly Need[],
  filter: NeedFilter,
  how: { holding: boolean; kept: string | undefined },
): { needs: readonly Need[]; waiting: number } {
  const before = useRef<{ filter: NeedFilter; needs: readonly Need[] }>({ filter, needs: [] })
  const wanted = inOrder(all.filter((need) => fits(need, filter)))
  const isSame = before.current.filter === filter
  const held = hold(isSame ? before.current.needs : [], wanted, { ...how, holding: how.holding && isSame })
  before.current = { filter, needs: held.needs }
  return held
}
