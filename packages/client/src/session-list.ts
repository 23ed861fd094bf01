import { asKnown } from '@hotline/protocol/known-event'
import type { Envelope } from '@hotline/protocol/event'
import type { Doing } from '@hotline/protocol/doing'
import type { Problem } from '@hotline/protocol/error'
import type { SessionRow } from '@hotline/protocol/http'
import type { QueuePlace } from '@hotline/protocol/queue'
import { parseCursor } from '@hotline/protocol/stream'
import { forgetfulList, type KeptList, type ListStore } from './kept-list.ts'
import type { Follow, Link, Readable } from './link.ts'
import { openListKeeper } from './list-keeper.ts'
import { openPainter } from './painter.ts'
import { watchable } from './readable.ts'
import { isPassing, openRetry } from './retry.ts'

/** Sessions in one page. */
const pageRows = 200
/** Live sessions that are read at the start; whoever has more of them finds the others further down. */
const livePagesMax = 25
/** Where more has come in one project since the last visit, the list is read in its place. */
const goOnMax = 1_000

/** The list as it stands now: always whole, never changed in place. */
export interface SessionListPicture {
  /** `failed`: it cannot be shown, for the reason in `problem`. A passing problem stands beside what is shown. */
  status: 'loading' | 'live' | 'failed'
  problem?: Problem
  /** The one that changed last comes first. All that can still go on are among them, however long nothing happened there. */
  sessions: readonly SessionRow[]
  /** What agents do just now, by session; known for some of those that are at work. */
  doing: ReadonlyMap<string, DoingNow>
  /** Where sessions stand that wait for a machine. */
  queue: ReadonlyMap<string, QueuePlace>
  /** Older sessions exist on the server. */
  hasOlder: boolean
  /** What is shown is from an earlier visit, as it was then; in milliseconds of the wall clock. Absent once it is as of now. */
  asOf?: number
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

/**
 * All sessions of one's projects, live: the newest page, then each line that a project's stream brings. What is `kept` of an
 * earlier visit is shown at once, and only what has come since is read.
 */
export function openSessionList(link: Link, kept: ListStore = forgetfulList): SessionList {
  const picture = watchable<SessionListPicture>({
    status: 'loading',
    sessions: [],
    doing: new Map(),
    queue: new Map(),
    hasOlder: false,
  })
  const rows = new Map<string, SessionRow>()
  const doing = new Map<string, DoingNow>()
  const queue = new Map<string, QueuePlace>()
  const follows = new Map<string, Follow>()
  /** Streams that have not reached their end since they were gone on from. */
  const behind = new Set<string>()
  let closed = false
  /** Names the present start; what an earlier one still reads is passed over. */
  let life = {}
  let next: string | null = null
  /** Rows of older pages: they are read when somebody wants them, on the next visit too. */
  const older = new Set<string>()
  /** Where the first of the older pages begins. */
  let firstNext: string | null = null
  let reading = false
  let asOf: number | undefined
  /** What is shown of an earlier visit, until it is known whether it can be gone on from. */
  let earlier: KeptList | undefined
  const painter = openPainter(() => {
    const now = {
      status: 'live',
      sessions: newestFirst(),
      doing: new Map(doing),
      queue: new Map(queue),
      hasOlder: next !== null,
    } as const
    picture.set(asOf === undefined ? now : { ...now, asOf })
  })
  const newestFirst = (): SessionRow[] => [...rows.values()].toSorted((a, b) => compare(b.updatedAt, a.updatedAt))
  const retry = openRetry(link, () => void start())
  const keeper = openListKeeper(kept, () => {
    // What is behind is kept as it is: from there it goes on.
    if (follows.size === 0) return undefined
    const cursors = Object.fromEntries([...follows].map(([stream, { cursor }]) => [stream, cursor]))
    return { sessions: newestFirst().filter(({ session }) => !older.has(session)), next: firstNext, cursors }
  })

  /** What an earlier visit has seen. */
  async function recall(): Promise<void> {
    const found = await kept.read()
    if (closed) return
    if (found) {
      earlier = found
      asOf = found.keptAt
      begin(found.sessions, found.next)
    }
    await start()
  }

  function begin(sessions: readonly SessionRow[], after: string | null): void {
    rows.clear()
    older.clear()
    for (const row of sessions) rows.set(row.session, row)
    next = after
    firstNext = after
    painter.soon()
    painter.now()
  }

  async function start(): Promise<void> {
    const mine = {}
    life = mine
    const shown = earlier
    // Of what was seen before only the heads are wanted.
    const page = await link.request<Page>('GET', `/api/sessions?limit=${shown ? 1 : pageRows}`)
    if (closed || life !== mine) return
    if (!page.ok) return failed(page.problem)
    earlier = undefined
    if (shown) {
      if (!isNear(shown, page.value.cursors)) return start()
      retry.succeeded()
      return goOn(shown.cursors)
    }
    const live = await readLive(page.value)
    if (closed || life !== mine) return
    if (!live.ok) return failed(live.problem)
    retry.succeeded()
    asOf = undefined
    begin([...live.value, ...page.value.sessions], page.value.next)
    goOn(page.value.cursors)
  }

  function goOn(cursors: Readonly<Record<string, string>>): void {
    for (const follow of follows.values()) follow.close()
    follows.clear()
    behind.clear()
    for (const [stream, cursor] of Object.entries(cursors)) {
      behind.add(stream)
      const follow = link.follow(stream, cursor, {
        events: apply,
        caughtUp: () => caughtUp(stream),
        reset: () => void start(),
        ended: (problem) => {
          if (isPassing(problem)) return failed(problem)
          // No longer a member: its sessions are not ours to see.
          for (const row of rows.values()) if (`project:${row.project}` === stream) rows.delete(row.session)
          follows.delete(stream)
          caughtUp(stream)
        },
      })
      follows.set(stream, follow)
    }
    if (behind.size === 0) caughtUp('')
    keeper.soon()
  }

  function caughtUp(stream: string): void {
    behind.delete(stream)
    if (behind.size === 0) asOf = undefined
    painter.soon()
    if (behind.size > 0) return
    painter.now()
    keeper.soon()
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
    if (isPassing(problem)) {
      picture.set({ ...picture.value, problem })
      return retry.after(problem)
    }
    // What was kept is not theirs to see any more.
    void kept.keep(undefined)
    if (asOf !== undefined) rows.clear()
    picture.set({ ...picture.value, sessions: newestFirst(), status: 'failed', problem })
  }

  function apply(events: readonly Envelope[]): void {
    for (const event of events) {
      const row = rowOf(event, rows)
      if (!row) continue
      rows.set(row.session, row)
      older.delete(row.session)
    }
    painter.soon()
    keeper.soon()
  }

  const unhear = link.ephemeral(({ kind, stream, doings, queue: places }) => {
    if (kind === 'queue' && stream !== undefined && places !== undefined) {
      for (const [session, { project }] of queue) if (stream === `project:${project}`) queue.delete(session)
      for (const place of places) queue.set(place.session, place)
      painter.soon()
    }
    if (kind !== 'doing' || stream === undefined || doings === undefined) return
    for (const { session, ...now } of doings) {
      if (now.step ?? now.usage) doing.set(session, now)
      else doing.delete(session)
    }
    painter.soon()
  })
  // What agents do, and what waits, is told anew after the connection was away; meanwhile nobody knows it.
  const unwatch = link.connection.watch(({ status }) => {
    if (status === 'open' || doing.size + queue.size === 0) return
    doing.clear()
    queue.clear()
    painter.soon()
  })

  void recall()
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
      for (const row of page.value.sessions) {
        if (rows.has(row.session)) continue
        rows.set(row.session, row)
        older.add(row.session)
      }
      painter.soon()
      painter.now()
      return undefined
    },
    refresh: () => void start(),
    [Symbol.dispose]: () => {
      keeper[Symbol.dispose]()
      closed = true
      painter.stop()
      unhear()
      unwatch()
      retry[Symbol.dispose]()
      for (const follow of follows.values()) follow.close()
    },
  }
}

/** The row that a line of a project's stream describes; undefined where the row is as new, or it is no such line. */
function rowOf(event: Envelope, rows: ReadonlyMap<string, SessionRow>): SessionRow | undefined {
  const known = asKnown(event)
  if (known?.type !== 'session.indexed') return undefined
  const { session, task, agent, runner, status, turn, openApprovals, openQuestions, staleSince, since } = known.data
  const { reason, exit, ending, policyMode } = known.data
  const { waitingApprovals = 0, answersUnderWay = 0, oldestApprovalAt } = known.data
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
    waitingApprovals,
    answersUnderWay,
    oldestApprovalAt: oldestApprovalAt ?? null,
    staleSince: staleSince ?? null,
    since,
    reason: reason ?? null,
    exit: exit ?? null,
    ending: ending ?? null,
    policyMode: policyMode ?? null,
    createdAt: before?.createdAt ?? event.at,
    updatedAt: event.at,
  }
}

/** The same projects in the same lives of their logs, and not much has come since. */
function isNear({ whole, cursors }: KeptList, now: Readonly<Record<string, string>>): boolean {
  const streams = Object.keys(now)
  if (!whole || streams.length !== Object.keys(cursors).length) return false
  return streams.every((stream) => {
    const [from, at] = [parseCursor(cursors[stream] ?? ''), parseCursor(now[stream] ?? '')]
    if (typeof from !== 'object' || typeof at !== 'object' || from.epoch !== at.epoch) return false
    return at.seq >= from.seq && at.seq - from.seq <= goOnMax
  })
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
