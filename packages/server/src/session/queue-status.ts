import { type QueueStatus, queueSessionsMax } from '@hotline/protocol/asks'
import type { Lists } from '../log/lists.ts'
import type { SessionTable } from '../log/tables.ts'

/** How many approvals of these projects wait for people and how many answers for agents, over all and by session. */
export async function queueStatus(lists: Pick<Lists, 'queues'>, projects: readonly string[]): Promise<QueueStatus> {
  const sessions = (await lists.queues(projects)).map(statusOf).toSorted(byAge)
  const sum = (of: 'open' | 'waiting' | 'pending' | 'processing'): number =>
    sessions.reduce((total, one) => total + one[of], 0)
  return {
    open: sum('open'),
    waiting: sum('waiting'),
    pending: sum('pending'),
    processing: sum('processing'),
    oldestAt: sessions[0]?.oldestAt ?? null,
    sessions: sessions.slice(0, queueSessionsMax),
  }
}

function statusOf(row: SessionTable): QueueStatus['sessions'][number] {
  const open = (JSON.parse(row.open_approvals) as string[]).length
  return {
    session: row.session,
    project: row.project,
    open,
    waiting: row.waiting_approvals,
    pending: open + row.waiting_approvals,
    processing: row.answers_under_way,
    oldestAt: row.oldest_approval_at,
  }
}

/** What waits longest first; where nothing waits, last. */
function byAge(a: QueueStatus['sessions'][number], b: QueueStatus['sessions'][number]): number {
  if (a.oldestAt === b.oldestAt) return a.session < b.session ? -1 : 1
  if (a.oldestAt === null || b.oldestAt === null) return a.oldestAt === null ? 1 : -1
  return a.oldestAt < b.oldestAt ? -1 : 1
}
