import type { Problem } from '@hotline/protocol/error'
import { useParams } from '@tanstack/react-router'
import { type ReactNode, useMemo, useRef, useState } from 'react'
import { Virtuoso, type VirtuosoHandle } from 'react-virtuoso'
import { useLive } from '../live/hotline.tsx'
import { useReadable } from '@hotline/client/use-readable'
import { useNow } from '../live/use-now.ts'
import { Failed } from '../parts/failed.tsx'
import { ListSkeleton } from '../parts/skeletons.tsx'
import { NoSessions } from './no-sessions.tsx'
import { type Group, groups, isOver } from './row-words.ts'
import { type SeenRow, seenRows } from './seen-rows.ts'
import { SessionLine } from './session-row.tsx'
import { useHeld } from './use-held.ts'
import { useRowKeys } from './use-row-keys.ts'

/** From here on somebody reads further down, and the rows hold still. */
const scrolledPx = 24
/** How high a row is about, for those that were never drawn: headings, which come first, are lower. */
const rowPx = 53

type Entry = { key: string; group: Group } & ({ count: number; row?: undefined } | { row: SeenRow })

/** Older sessions are being read; `and more`: those after them are wanted as well. */
type Reading = 'a page' | 'and more' | undefined

function isMore(reading: Reading): boolean {
  return reading === 'and more'
}

/** The sessions in groups, those that need somebody first. Only what is near to sight is in the page. */
export function SessionRows({ start }: { start: () => void }): ReactNode {
  const { list, snoozes } = useLive()
  const { status, sessions: rows, doing, queue, hasOlder, problem } = useReadable(list.picture)
  const snoozed = useReadable(snoozes.picture)
  const sessions = useMemo(() => seenRows(rows, snoozed), [rows, snoozed])
  const now = useNow(10_000)
  const open = useParams({ strict: false }).session
  const box = useRef<VirtuosoHandle>(null)
  const [wanted, setWanted] = useState('')
  const [pointing, setPointing] = useState(false)
  const [scrolled, setScrolled] = useState(false)
  const [older, setOlder] = useState<'reading' | Problem>()
  const reading = useRef<Reading>(undefined)
  const { sections, waiting } = useHeld(sessions, groups, pointing || scrolled)
  const entries = useMemo(() => entriesOf(sections, wanted), [sections, wanted])
  const indexes = useMemo(() => new Map(entries.map(({ key }, index) => [key, index])), [entries])
  const keyed = useMemo(() => entries.flatMap(({ row }) => (row ? [row.session] : [])), [entries])
  const refOf = useRowKeys({ sessions: keyed, indexOf: (session) => indexes.get(session) ?? 0, open, list: box })
  if (status === 'loading') return <ListSkeleton />
  if (status === 'failed')
    return <Failed what="The sessions cannot be shown." problem={problem} retry={() => list.refresh()} />
  if (sessions.length === 0) return <NoSessions start={start} />

  async function readOlder(): Promise<void> {
    if (!list.picture.value.hasOlder) return
    // The end of what came may be reached before this is over, and is told once.
    if (reading.current !== undefined) {
      reading.current = 'and more'
      return
    }
    setOlder('reading')
    let refusal: Problem | undefined
    do {
      reading.current = 'a page'
      refusal = await list.loadOlder()
    } while (isMore(reading.current) && refusal === undefined && list.picture.value.hasOlder)
    reading.current = undefined
    setOlder(refusal)
  }
  function release(): void {
    setPointing(false)
    setScrolled(false)
    box.current?.scrollToIndex(0)
  }
  const isSearching = wanted.trim() !== ''
  return (
    <div
      className="rows"
      onPointerEnter={(event) => {
        if (event.pointerType === 'mouse') setPointing(true)
      }}
      onPointerLeave={() => setPointing(false)}
    >
      {sessions.length > 0 && (
        <div className="find">
          <input
            type="search"
            className="input"
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
          {waiting > 0 && (
            <button type="button" className="button plain fresh" onClick={release}>
              {waiting} new ↑
            </button>
          )}
        </div>
      )}
      {entries.length > 0 && (
        <Virtuoso
          ref={box}
          className="scroll"
          data={entries}
          defaultItemHeight={rowPx}
          computeItemKey={(_, { key }) => key}
          onScroll={(event) => setScrolled(event.currentTarget.scrollTop > scrolledPx)}
          endReached={() => void readOlder()}
          increaseViewportBy={200}
          itemContent={(_, { group, ...entry }) =>
            entry.row ? (
              <SessionLine
                row={entry.row}
                group={group}
                doing={doing.get(entry.row.session)}
                place={queue.get(entry.row.session)}
                now={now}
                ref={refOf(entry.row.session)}
              />
            ) : (
              <h2 className={group === 'Needs you' ? 'needs' : ''}>
                {group} {entry.count}
                {isOver(group) && hasOlder && '+'}
              </h2>
            )
          }
        />
      )}
      {isSearching && entries.length === 0 && (
        <div className="empty">
          <p>{hasOlder ? `None of the newest ${sessions.length} is called that.` : 'No session is called that.'}</p>
          {hasOlder && (
            <button type="button" className="button" disabled={older === 'reading'} onClick={() => void readOlder()}>
              Look further back
            </button>
          )}
        </div>
      )}
      {older && older !== 'reading' && (
        <p className="small danger" role="alert">
          Older sessions could not be read: {older.detail}{' '}
          <button type="button" className="button plain" onClick={() => void readOlder()}>
            Try again
          </button>
        </p>
      )}
    </div>
  )
}

function entriesOf(sections: readonly { group: Group; rows: readonly SeenRow[] }[], wanted: string): readonly Entry[] {
  const text = wanted.trim().toLowerCase()
  return sections.flatMap(({ group, rows }) => {
    const fitting = text === '' ? rows : rows.filter((row) => fits(row, text))
    if (fitting.length === 0) return []
    const head = { key: `head ${group}`, group, count: fitting.length }
    return [head, ...fitting.map((row) => ({ key: row.session, group, row }))]
  })
}

function fits(row: SeenRow, text: string): boolean {
  return [row.title, row.agent, row.session].some((part) => part.toLowerCase().includes(text))
}
