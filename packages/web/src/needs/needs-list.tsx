import { askKey } from '@hotline/core/account/ask-key'
import { useNavigate, useParams } from '@tanstack/react-router'
import { type ReactNode, useMemo, useRef, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { useReadable } from '@hotline/client/use-readable'
import { useNow } from '../live/use-now.ts'
import { Failed } from '../parts/failed.tsx'
import { ListSkeleton } from '../parts/skeletons.tsx'
import { fits, hold, inOrder, type Need, type NeedFilter, needsOf, withHeadings } from './arrange-asks.ts'
import { MarkedBar } from './marked-bar.tsx'
import { seenRows } from '../list/seen-rows.ts'
import { NeedFilters } from './need-filters.tsx'
import { NeedRow } from './need-row.tsx'
import { QueueLine } from './queue-line.tsx'
import { useNeeds } from './needs-context.tsx'
import { SnoozedRows } from './snoozed-rows.tsx'
import { useNeedKeys } from './use-need-keys.ts'

/** Lines that are drawn; nobody looks further down before those are answered. */
const shownMax = 200

/** All that waits for this person, across sessions: the riskiest first, then what waits longest. */
export function NeedsList(): ReactNode {
  const { list, me, snoozes } = useLive()
  const { inbox, marked } = useNeeds()
  const { sessions } = useReadable(list.picture)
  const snoozed = useReadable(snoozes.picture)
  const { status, asks, further, problem } = useReadable(inbox.picture)
  const now = useNow(10_000)
  const navigate = useNavigate()
  const { session, ask } = useParams({ strict: false })
  const open = session !== undefined && ask !== undefined ? askKey(session, ask) : undefined
  const [filter, setFilter] = useState<NeedFilter>({})
  const [pointing, setPointing] = useState(false)
  const asked = useMemo(() => needsOf(asks, sessions), [asks, sessions])
  const all = useMemo(() => asked.filter(({ key }) => !snoozed.has(key)), [asked, snoozed])
  const { needs, waiting } = useHeld(all, filter, { holding: pointing, kept: open })
  const seen = useMemo(() => seenRows(sessions, snoozed), [sessions, snoozed])
  const live = useMemo(() => new Set(all.map(({ key }) => key)), [all])
  const names = new Map(me.projects.map(({ project, name }) => [project, name]))
  const projectOf = ({ project }: Need): string | undefined =>
    me.projects.length > 1 ? (names.get(project) ?? project) : undefined
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
      <QueueLine sessions={seen} />
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
              standing={live.has(entry.need.key) ? 'open' : snoozed.has(entry.need.key) ? 'aside' : 'gone'}
              isMarked={marked.has(entry.need.key)}
              now={now}
              showProject={projectOf(entry.need)}
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
        <SnoozedRows
          needs={asked.filter(({ key }) => snoozed.has(key))}
          open={needs.some(({ key }) => key === open) ? undefined : open}
          now={now}
          projectOf={projectOf}
        />
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
