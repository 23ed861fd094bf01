import { useEffect, useMemo, useState } from 'react'
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
 * where it is until they leave again, so that nothing moves while they read. `atEnd`: the end is in sight.
 */
export function useUnread(
  session: string,
  rows: readonly Row[],
  seq: number,
  atEnd: boolean,
  isMine: (row: Row) => boolean,
): readonly (Row | UnreadRow)[] {
  const [mark, setMark] = useState(() => readUpTo(session))
  const visible = useVisible()
  const here = atEnd && visible
  const [wasHere, setWasHere] = useState(here)
  const lineAt = useMemo(
    () => (mark === undefined ? -1 : rows.findIndex((row) => seqOf(row) > mark && !isMine(row))),
    [rows, mark, isMine],
  )
  if (wasHere !== here) {
    setWasHere(here)
    // Whoever leaves has read as far as it goes now; but who only goes up to what is new keeps the line above it.
    if (!here && (lineAt < 0 || !visible)) setMark(seq)
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

/** How many rows began after a place in the log; what is older and came in front is not new. */
export function countNew(rows: readonly Row[], seen: number): number {
  return rows.length - 1 - rows.findLastIndex((row) => seqOf(row) <= seen)
}

/** Where a row begins in the log. */
export function seqOf(row: Row): number {
  if (row.kind === 'steps') return row.steps[0]?.seq ?? 0
  return row.kind === 'nest' ? row.step.seq : row.seq
}

/** Whether the page is in sight at all. */
function useVisible(): boolean {
  const [visible, setVisible] = useState(() => document.visibilityState === 'visible')
  useEffect(() => {
    const changed = (): void => setVisible(document.visibilityState === 'visible')
    document.addEventListener('visibilitychange', changed)
    return () => document.removeEventListener('visibilitychange', changed)
  }, [])
  return visible
}
