import type { SessionRow } from '@hotline/protocol/http'
import { Link as To } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { useNow, useReadable } from '../live/use-readable.ts'
import { Failed } from '../parts/failed.tsx'
import { ListSkeleton } from '../parts/skeletons.tsx'
import { agoText, exactText } from '../text/time.ts'
import { NoSessions } from './no-sessions.tsx'
import { type Group, groupOf, groups, whatOf } from './row-words.ts'

/** The sessions in groups, those that need somebody first. */
export function SessionRows({ start, only }: { start: () => void; only?: Group | undefined }): ReactNode {
  const { list } = useLive()
  const { status, sessions, problem } = useReadable(list.picture)
  const now = useNow(10_000)
  const [wanted, setWanted] = useState('')
  /** In which group each row was when the pointer came; nothing moves under it until it has gone. */
  const [held, setHeld] = useState<ReadonlyMap<string, Group>>()
  if (status === 'loading') return <ListSkeleton />
  if (status === 'failed')
    return <Failed what="The sessions cannot be shown." problem={problem} retry={() => list.refresh()} />
  if (sessions.length === 0 && only === undefined) return <NoSessions start={start} />
  const byStart = sessions.toSorted((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
  const fitting = byStart.filter(
    (row) =>
      fits(row, wanted) &&
      (held?.has(row.session) ?? true) &&
      (only === undefined || (held?.get(row.session) ?? groupOf(row)) === only),
  )
  const fresh = held === undefined ? 0 : byStart.filter((row) => !held.has(row.session)).length
  const rowsOf = (group: Group): readonly SessionRow[] =>
    fitting.filter((row) => (held?.get(row.session) ?? groupOf(row)) === group)
  const sections = groups.map((group) => {
    const rows = rowsOf(group)
    if (rows.length === 0) return undefined
    return (
      <section key={group} aria-label={group}>
        <h2 className={group === 'Needs you' ? 'needs' : ''}>
          {group} {rows.length}
        </h2>
        {rows.map((row) => (
          <To
            key={row.session}
            to="/sessions/$session"
            params={{ session: row.session }}
            data-session={row.session}
            className={`row${group === 'Needs you' ? ' needs' : ''}${group === 'Finished' ? ' over' : ''}`}
          >
            <span className="title">{row.title}</span>
            <time className="small quiet" dateTime={row.updatedAt} title={exactText(row.updatedAt)}>
              {agoText(now - Date.parse(row.updatedAt))}
            </time>
            <span className="what">{whatOf(row, now)}</span>
          </To>
        ))}
      </section>
    )
  })
  return (
    <div
      onPointerEnter={(event) => {
        if (event.pointerType === 'mouse') setHeld(new Map(sessions.map((row) => [row.session, groupOf(row)])))
      }}
      onPointerLeave={() => setHeld(undefined)}
    >
      {sessions.length > 0 && (
        <input
          type="search"
          className="input find"
          aria-label="Find a session"
          placeholder="Find  /"
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return
            setWanted('')
            event.currentTarget.blur()
          }}
        />
      )}
      {fresh > 0 && (
        <button type="button" className="button plain fresh" onClick={() => setHeld(undefined)}>
          {fresh} new ↑
        </button>
      )}
      {sections}
      {only === 'Needs you' && fitting.length === 0 && wanted === '' && (
        <p className="empty">Nothing needs you. What an agent asks of you stands here first.</p>
      )}
      {fitting.length === 0 && wanted !== '' && <p className="empty">No session is called that.</p>}
    </div>
  )
}

function fits(row: SessionRow, wanted: string): boolean {
  const text = wanted.trim().toLowerCase()
  return text === '' || [row.title, row.agent, row.session].some((part) => part.toLowerCase().includes(text))
}
