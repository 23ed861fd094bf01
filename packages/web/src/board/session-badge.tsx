import type { TaskRow } from '@hotline/protocol/task'
import type { ReactNode } from 'react'
import { groupOf, whatOf } from '../list/row-words.ts'
import { UnreadCount } from '../list/unread-count.tsx'
import { seenRows, type SeenRow } from '../list/seen-rows.ts'
import { useLive } from '../live/hotline.tsx'
import { useReadable } from '@hotline/client/use-readable'
import { useNow } from '../live/use-now.ts'
import { Legible } from '../parts/legible.tsx'

/** What a card knows of a session that the list of sessions does not hold any more. */
const phaseWords: Readonly<Record<string, string>> = {
  queued: 'waits for a machine',
  at_work: 'at work',
  at_rest: 'waits for you to write',
  completed: 'completed',
  failed: 'failed',
  aborted: 'ended by a person',
}

/** The sessions that are known, as this person sees them, by their ids. */
export function useSeenSessions(): ReadonlyMap<string, SeenRow> {
  const { list, snoozes } = useLive()
  const { sessions } = useReadable(list.picture)
  const snoozed = useReadable(snoozes.picture)
  return new Map(seenRows(sessions, snoozed).map((row) => [row.session, row]))
}

/** How the newest session of a card stands, in the words of the list of sessions. */
export function SessionBadge({ row, seen }: { row: TaskRow; seen: SeenRow | undefined }): ReactNode {
  const { known, list } = useLive()
  const { queue } = useReadable(list.picture)
  const now = useNow(10_000)
  const [newest] = row.sessions
  if (!newest) return undefined
  const agent = known.agents.get(newest.agent) ?? newest.agent
  const group = seen && groupOf(seen)
  const words = seen
    ? whatOf({ ...seen, agent }, now, queue.get(seen.session))
    : `${agent} · ${phaseWords[newest.phase] ?? newest.phase}`
  const isWrong =
    group === 'Failed' || group === 'Out of contact' || group === 'Agent gone' || newest.phase === 'failed'
  return (
    <p className="stands small">
      {group === 'Needs you' && <span className="badge">Needs you</span>}
      <UnreadCount session={newest.session} />
      <span className={isWrong && group !== 'Needs you' ? 'danger' : 'quiet'}>
        <Legible text={words} place="name" />
      </span>
    </p>
  )
}
