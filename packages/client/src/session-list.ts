import { asKnown } from '@hotline/protocol/events'
import type { Envelope } from '@hotline/protocol/event'
import type { Problem } from '@hotline/protocol/error'
import type { SessionRow } from '@hotline/protocol/http'
import type { Follow, Link, Readable } from './link.ts'
import { watchable } from './readable.ts'

export interface SessionListPicture {
  status: 'loading' | 'live' | 'failed'
  problem?: Problem
  sessions: readonly SessionRow[]
}

export interface SessionList extends Disposable {
  readonly picture: Readable<SessionListPicture>
}

/** All sessions of one's projects, live: the newest page, then each line that a project's stream brings. */
export function openSessionList(link: Link): SessionList {
  const picture = watchable<SessionListPicture>({ status: 'loading', sessions: [] })
  const follows: Follow[] = []
  let closed = false

  async function start(): Promise<void> {
    for (const follow of follows.splice(0)) follow.close()
    const page = await link.request<{ sessions: SessionRow[]; cursors: Record<string, string> }>(
      'GET',
      '/api/sessions?limit=200',
    )
    if (closed) return
    if (!page.ok) {
      picture.set({
        ...picture.value,
        status: picture.value.status === 'live' ? 'live' : 'failed',
        problem: page.problem,
      })
      const leave = link.connection.watch(({ status }) => {
        if (status !== 'open') return
        leave()
        void start()
      })
      return
    }
    picture.set({ status: 'live', sessions: page.value.sessions })
    for (const [stream, cursor] of Object.entries(page.value.cursors)) {
      follows.push(link.follow(stream, cursor, { events: apply, reset: () => void start() }))
    }
  }

  function apply(events: readonly Envelope[]): void {
    const rows = new Map(picture.value.sessions.map((row) => [row.session, row]))
    for (const event of events) {
      const row = rowOf(event, rows)
      if (row) rows.set(row.session, row)
    }
    picture.set({ status: 'live', sessions: [...rows.values()] })
  }

  void start()
  return {
    picture,
    [Symbol.dispose]: () => {
      closed = true
      for (const follow of follows) follow.close()
    },
  }
}

/** The row that a line of a project's stream describes. */
function rowOf(event: Envelope, rows: ReadonlyMap<string, SessionRow>): SessionRow | undefined {
  const known = asKnown(event)
  if (known?.type !== 'session.indexed') return undefined
  const { session, task, agent, runner, status, turn, openApprovals, openQuestions, staleSince, since } = known.data
  const before = rows.get(session)
  return {
    session,
    project: event.stream.slice('project:'.length),
    task: task ?? null,
    agent,
    runner: runner ?? null,
    title: known.body?.title ?? before?.title ?? '',
    status,
    turn,
    openApprovals,
    openQuestions,
    staleSince: staleSince ?? null,
    since,
    createdAt: before?.createdAt ?? event.at,
    updatedAt: event.at,
  }
}
