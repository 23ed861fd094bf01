import type { SessionRow } from '@hotline/protocol/http'
import { isLive } from '@hotline/protocol/session-status'
import { Link as To } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { useLive } from '../live/hotline.tsx'
import { useNow, useReadable } from '../live/use-readable.ts'
import { Failed } from '../parts/failed.tsx'
import { ListSkeleton } from '../parts/skeletons.tsx'
import { agoText, clockText, exactText } from '../text/time.ts'
import { NoSessions } from './no-sessions.tsx'

type Group = 'Needs you' | 'Out of contact' | 'Running' | 'Agent gone' | 'Finished'
/** Fewer rows than this are seen at a glance. */
const searchFrom = 6

const groups: readonly Group[] = ['Needs you', 'Out of contact', 'Agent gone', 'Running', 'Finished']

function groupOf(row: SessionRow): Group {
  if (row.openApprovals.length + row.openQuestions.length > 0) return 'Needs you'
  if (row.status === 'interrupted') return 'Agent gone'
  if (row.staleSince !== null) return 'Out of contact'
  return isLive(row.status as 'active') ? 'Running' : 'Finished'
}

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
    (row) => fits(row, wanted) && (held?.has(row.session) ?? true) && (only === undefined || groupOf(row) === only),
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
      {sessions.length >= searchFrom && only === undefined && (
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

/** Evidence in a few words. */
function whatOf(row: SessionRow, now: number): string {
  const approvals = row.openApprovals.length
  const questions = row.openQuestions.length
  const asks = [approvals > 0 ? `${approvals} to allow or deny` : '', questions > 0 ? `${questions} to answer` : '']
    .filter(Boolean)
    .join(', ')
  if (asks) return `${row.agent} · ${asks}`
  if (row.staleSince !== null && isLive(row.status as 'active'))
    return `${row.agent} · out of contact since ${clockText(row.staleSince, now)}`
  if (row.status === 'active') return `${row.agent} · ${row.turn === 'running' ? 'at work' : 'waits for you to write'}`
  const words: Record<string, string> = {
    interrupted: 'agent gone',
    queued: 'waits for a machine',
    starting: 'starting',
    aborted: 'ended by a person',
  }
  return `${row.agent} · ${words[row.status] ?? row.status}`
}
