import { useEffect, useMemo, useState } from 'react'
import { useVisible } from '../live/use-visible.ts'
import type { Row } from './fold-steps.ts'
import { markRead, readUpTo } from './unread.ts'

/** The line above what somebody has not seen yet. */
export interface UnreadRow {
  kind: 'unread'
  key: 'unread'
  /** Rows below it. */
  count: number
}

/**
 * Puts a line above what came while somebody was away: with another page before them, another tab, or further up. It stays
 * where it is while they read, so that nothing moves; it goes when they leave again, or say or answer something below it.
 * What comes before their eyes is not new. `atEnd`: the end is in sight; `isLive`: what is shown is as it is now.
 */
export function useUnread({
  session,
  rows,
  seq,
  atEnd,
  isLive,
  isMine,
}: {
  session: string
  rows: readonly Row[]
  seq: number
  atEnd: boolean
  isLive: boolean
  isMine: (row: Row) => boolean
}): readonly (Row | UnreadRow)[] {
  const [mark, setMark] = useState(() => readUpTo(session))
  const visible = useVisible()
  const here = atEnd && visible
  const mine = useMemo(() => rows.findLast(isMine)?.key, [rows, isMine])
  const lineAt = useMemo(() => lineOf(rows, mark, isMine), [rows, mark, isMine])
  const hasLine = lineAt >= 0
  const [was, setWas] = useState({ here, isLive, seq, mine, hasLine: true })
  if (was.here !== here || was.isLive !== isLive || was.seq !== seq || was.mine !== mine || was.hasLine !== hasLine) {
    setWas({ here, isLive, seq, mine, hasLine })
    // Whoever leaves has read as far as it goes now; but who only goes up to what is new keeps the line above it.
    const leaves = was.here && !here && (!was.hasLine || !visible)
    const stays = was.here && here && was.isLive && isLive
    if (leaves || (stays && (!was.hasLine || was.mine !== mine))) setMark(seq)
  }
  useEffect(() => {
    if (here && seq > 0) markRead(session, seq)
  }, [here, session, seq])
  return useMemo(() => {
    if (lineAt < 0) return rows
    const line: UnreadRow = { kind: 'unread', key: 'unread', count: rows.length - lineAt }
    return [...rows.slice(0, lineAt), line, ...rows.slice(lineAt)]
  }, [rows, lineAt])
}

/** Before which row the line stands; -1 where nothing is new. Above what one has said oneself nothing is. */
function lineOf(rows: readonly Row[], mark: number | undefined, isMine: (row: Row) => boolean): number {
  if (mark === undefined) return -1
  // What waited for the agent stands further down than where it was said.
  const said = rows.filter(isMine).map((row) => (row.kind === 'message' ? row.seq : seqOf(row)))
  const read = Math.max(mark, ...said)
  return rows.findIndex((row) => seqOf(row) > read && !isMine(row))
}

/** How many rows began after a place in the log; what is older and came in front is not new. */
export function countNew(rows: readonly Row[], seen: number): number {
  return rows.length - 1 - rows.findLastIndex((row) => seqOf(row) <= seen)
}

/** Where a row begins in the log; a message, where the agent took it. */
export function seqOf(row: Row): number {
  if (row.kind === 'message') return row.takenSeq ?? row.seq
  if (row.kind === 'steps') return row.steps[0]?.seq ?? 0
  return row.kind === 'nest' ? row.step.seq : row.seq
}
