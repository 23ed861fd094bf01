import { asKnown } from '@hotline/protocol/events'
import type { Envelope } from '@hotline/protocol/event'
import type { Doing } from '@hotline/protocol/doing'
import type { Problem } from '@hotline/protocol/error'
import type { SessionRow } from '@hotline/protocol/http'
import type { Follow, Link, Readable } from './link.ts'
import { openPainter } from './painter.ts'
import { watchable } from './readable.ts'
import { isPassing, openRetry } from './retry.ts'

/** Sessions in one page. */
const pageRows = 200
/** Live sessions that are read at the start; whoever has more of them finds the others further down. */
const livePagesMax = 25

/** The list as it stands now: always whole, never changed in place. */
export interface SessionListPicture {
  /** `failed`: it cannot be shown, for the reason in `problem`. A passing problem stands beside what is shown. */
  status: 'loading' | 'live' | 'failed'
  problem?: Problem
  /** The one that changed last comes first. All that can still go on are among them, however long nothing happened there. */
  sessions: readonly SessionRow[]
  /** What agents do just now, by session; known for some of those that are at work. */
  doing: ReadonlyMap<string, DoingNow>
  /** Older sessions exist on the server. */
  hasOlder: boolean
}

/** The step of an agent that runs, or the one that ended last, and what it has told of tokens and cost. */
export type DoingNow = Pick<Doing, 'step' | 'usage'>

/** The sessions of some projects, live. */
export interface SessionList extends Disposable {
  readonly picture: Readable<SessionListPicture>
  /** The next page of older sessions; answers the problem if it could not be read. */
  loadOlder(): Promise<Problem | undefined>
  /** Reads everything anew, for a person who became a member of another project. */
  refresh(): void
}

interface Page {
  sessions: SessionRow[]
  next: string | null
  /** Where the projects' streams stood before the rows were read. */
  cursors: Record<string, string>
}

/** All sessions of one's projects, live: the newest page, then each line that a project's stream brings. */
export function openSessionList(link: Link): SessionList {
  const picture = watchable<SessionListPicture>({
    status: 'loading',
    sessions: [],
    doing: new Map(),
    hasOlder: false,
  })
  const rows = new Map<string, SessionRow>()
  const doing = new Map<string, DoingNow>()
  const follows: Follow[] = []
  let closed = false
  /** Names the present start; what an earlier one still reads is passed over. */
  let life = {}
  let next: string | null = null
  let reading = false
  const painter = openPainter(() => {
    const sessions = [...rows.values()].toSorted((a, b) => compare(b.updatedAt, a.updatedAt))
    picture.set({ status: 'live', sessions, doing: new Map(doing), hasOlder: next !== null })
  })
  const retry = openRetry(link, () => void start())

  async function start(): Promise<void> {
    const mine = {}
    life = mine
    const page = await link.request<Page>('GET', `/api/sessions?limit=${pageRows}`)
    if (closed || life !== mine) return
    if (!page.ok) return failed(page.problem)
    const live = await readLive(page.value)
    if (closed || life !== mine) return
    if (!live.ok) return failed(live.problem)
    retry.succeeded()
    for (const follow of follows.splice(0)) follow.close()
    rows.clear()
    for (const row of [...live.value, ...page.value.sessions]) rows.set(row.session, row)
    next = page.value.next
    for (const [stream, cursor] of Object.entries(page.value.cursors)) {
      follows.push(
        link.follow(stream, cursor, {
          events: apply,
          reset: () => void start(),
          ended: (problem) => {
            if (isPassing(problem)) return failed(problem)
            // No longer a member: its sessions are not ours to see.
            for (const row of rows.values()) if (`project:${row.project}` === stream) rows.delete(row.session)
            painter.soon()
          },
        }),
      )
    }
    painter.soon()
    painter.now()
  }

  /** Those that can go on and are not in the newest page: what needs somebody may have waited for long. */
  async function readLive(newest: Page): Promise<{ ok: true; value: SessionRow[] } | { ok: false; problem: Problem }> {
    const value: SessionRow[] = []
    let before = newest.next
    for (let pages = 0; before !== null && pages < livePagesMax; pages += 1) {
      const path = `/api/sessions?live=any&limit=${pageRows}&before=${encodeURIComponent(before)}`
      const page = await link.request<Page>('GET', path)
      if (!page.ok) return page
      value.push(...page.value.sessions)
      before = page.value.next
    }
    return { ok: true, value }
  }

  function failed(problem: Problem): void {
    if (closed) return
    picture.set({ ...picture.value, status: isPassing(problem) ? picture.value.status : 'failed', problem })
    if (isPassing(problem)) retry.after(problem)
  }

  function apply(events: readonly Envelope[]): void {
    for (const event of events) {
      const row = rowOf(event, rows)
      if (row) rows.set(row.session, row)
    }
    painter.soon()
  }

  const unhear = link.ephemeral(({ kind, stream, doings }) => {
    if (kind !== 'doing' || stream === undefined || doings === undefined) return
    for (const { session, ...now } of doings) {
      if (now.step ?? now.usage) doing.set(session, now)
      else doing.delete(session)
    }
    painter.soon()
  })
  // What agents do is told anew after the connection was away; meanwhile nobody knows it.
  const unwatch = link.connection.watch(({ status }) => {
    if (status === 'open' || doing.size === 0) return
    doing.clear()
    painter.soon()
  })

  void start()
  return {
    picture,
    loadOlder: async () => {
      if (next === null || reading || closed) return undefined
      const mine = life
      reading = true
      const page = await link.request<Page>('GET', `/api/sessions?limit=${pageRows}&before=${encodeURIComponent(next)}`)
      reading = false
      if (closed || life !== mine) return undefined
      if (!page.ok) return page.problem
      next = page.value.next
      // What the stream told is newer than any page.
      for (const row of page.value.sessions) if (!rows.has(row.session)) rows.set(row.session, row)
      painter.soon()
      painter.now()
      return undefined
    },
    refresh: () => void start(),
    [Symbol.dispose]: () => {
      closed = true
      painter.stop()
      unhear()
      unwatch()
      retry[Symbol.dispose]()
      for (const follow of follows) follow.close()
    },
  }
}

/** The row that a line of a project's stream describes; undefined where the row is as new, or it is no such line. */
function rowOf(event: Envelope, rows: ReadonlyMap<string, SessionRow>): SessionRow | undefined {
  const known = asKnown(event)
  if (known?.type !== 'session.indexed') return undefined
  const { session, task, agent, runner, status, turn, openApprovals, openQuestions, staleSince, since } = known.data
  const { reason, exit, ending } = known.data
  const before = rows.get(session)
  // The cursor was read before the rows: the first lines may be older than they are.
  if (before && compare(event.at, before.updatedAt) < 0) return undefined
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
    reason: reason ?? null,
    exit: exit ?? null,
    ending: ending ?? null,
    createdAt: before?.createdAt ?? event.at,
    updatedAt: event.at,
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
