import type { Envelope } from '@hotline/protocol/event'
import { asKnown } from '@hotline/protocol/known-event'
import type { Problem } from '@hotline/protocol/error'
import { type TaskColumn, taskColumns, type TaskPage, type TaskRow } from '@hotline/protocol/task'
import type { Follow, Link, Readable } from './link.ts'
import { openPainter } from './painter.ts'
import { watchable } from './readable.ts'
import { isPassing, openRetry } from './retry.ts'

/** Cards in one page of a column. */
const pageRows = 100
/** Stands before, and after, every place that the server gives: for cards that it has not placed yet. */
const [beforeAll, afterAll] = ['', '~']

/** The cards of one column, in their order; `hasMore`: the server has others after them. */
export interface ColumnPicture {
  tasks: readonly TaskRow[]
  hasMore: boolean
}

/** A board as it stands now: always whole, never changed in place. */
export interface BoardPicture {
  /** `failed`: it cannot be shown, for the reason in `problem`. A passing problem stands beside what is shown. */
  status: 'loading' | 'live' | 'failed'
  problem?: Problem
  columns: Readonly<Record<TaskColumn, ColumnPicture>>
}

/** Where a card shall stand: after another card of that column; null: first. */
export interface TaskPlace {
  to: TaskColumn
  after: string | null
}

/** The cards of one project, live. */
export interface TaskBoard extends Disposable {
  readonly picture: Readable<BoardPicture>
  /** Shows the card there at once, and tells the server; a refusal puts it back, and is answered. */
  move(task: string, place: TaskPlace): Promise<Problem | undefined>
  /** The next page of a column; answers the problem if it could not be read. */
  loadMore(column: TaskColumn): Promise<Problem | undefined>
}

/** A card as the server told it last, and at which position of the card's stream; 0 where a page told it. */
interface Known {
  row: TaskRow
  at: number
}

/** Where somebody has put a card here, as long as the server has not told of it. `seq`: the position that will. */
interface Moving {
  column: TaskColumn
  position: string
  seq?: number
}

/** The first page of each column, and then each line of a card that the project's stream brings. */
export function openTaskBoard(link: Link, project: string): TaskBoard {
  const cards = new Map<string, Known>()
  const moving = new Map<string, Moving>()
  const next = new Map<TaskColumn, string>()
  let follow: Follow | undefined
  let closed = false
  /** Names the present start; what an earlier one still reads is passed over. */
  let life = {}
  const picture = watchable<BoardPicture>({ status: 'loading', columns: columnsNow() })
  const painter = openPainter(() => picture.set({ status: 'live', columns: columnsNow() }))
  const retry = openRetry(link, () => void start())

  function columnsNow(): BoardPicture['columns'] {
    const tasks = [...cards.values()].map(({ row }) => placed(row)).toSorted(inOrder)
    const of = (column: TaskColumn): ColumnPicture => ({
      tasks: tasks.filter((row) => row.column === column),
      hasMore: next.has(column),
    })
    return Object.fromEntries(taskColumns.map((column) => [column, of(column)])) as BoardPicture['columns']
  }

  function placed(row: TaskRow): TaskRow {
    const here = moving.get(row.task)
    return here ? { ...row, column: here.column, position: here.position } : row
  }

  function read(column: TaskColumn): ReturnType<typeof link.request<TaskPage>> {
    const after = next.get(column)
    const query = new URLSearchParams({ project, column, limit: String(pageRows), ...(after ? { after } : {}) })
    return link.request<TaskPage>('GET', `/api/tasks?${query}`)
  }

  async function start(): Promise<void> {
    const mine = {}
    life = mine
    next.clear()
    // The cursor of the first page is older than the rows of all of them.
    const [first, ...others] = taskColumns
    const head = await read(first)
    const pages = head.ok ? [head, ...(await Promise.all(others.map(read)))] : [head]
    if (closed || life !== mine) return
    cards.clear()
    for (const [index, page] of pages.entries()) {
      if (!page.ok) return failed(page.problem)
      take(taskColumns[index] ?? first, page.value)
    }
    retry.succeeded()
    painter.soon()
    painter.now()
    if (head.ok) go(head.value.cursor)
  }

  function go(cursor: string): void {
    follow?.close()
    follow = link.follow(`project:${project}`, cursor, {
      events: apply,
      reset: () => void start(),
      ended: failed,
    })
  }

  function take(column: TaskColumn, page: TaskPage): void {
    for (const row of page.tasks) if (!cards.has(row.task)) cards.set(row.task, { row, at: 0 })
    if (page.next === null) next.delete(column)
    else next.set(column, page.next)
  }

  function failed(problem: Problem): void {
    if (closed) return
    if (!isPassing(problem)) return picture.set({ ...picture.value, status: 'failed', problem })
    picture.set({ ...picture.value, problem })
    retry.after(problem)
  }

  function apply(events: readonly Envelope[]): void {
    for (const event of events) learn(event)
    painter.soon()
  }

  function learn(event: Envelope): void {
    const known = asKnown(event)
    if (known?.type !== 'task.indexed') return
    const { task, at, column, position, priority, assignee, sessions, createdAt, removed } = known.data
    const before = cards.get(task)
    // The cursor was read before the rows: the first lines may be older than they are.
    if (before && (at < before.at || event.at < before.row.updatedAt)) return
    const mine = moving.get(task)
    if (mine?.seq !== undefined && at >= mine.seq) moving.delete(task)
    const { title = before?.row.title ?? '', labels = before?.row.labels ?? [] } = known.body ?? {}
    const row = { task, project, title, column, position, priority, labels, assignee: assignee ?? null }
    const whole = { ...row, sessions, createdAt, updatedAt: event.at } as TaskRow
    if (removed || isBeyond(whole)) cards.delete(task)
    else cards.set(task, { row: whole, at })
  }

  /** It stands after what was read of its column: it comes with its page. */
  function isBeyond(row: TaskRow): boolean {
    const after = next.get(row.column)
    if (after === undefined) return false
    const [, position = '', task = ''] = after.split('~')
    return inOrder(row, { position, task }) > 0
  }

  /** A place that sorts right after a card, or before all. The server's own takes its place. */
  function placeAfter({ to, after }: TaskPlace): string {
    if (after === null) return beforeAll
    const known = cards.get(after)
    const row = known && placed(known.row)
    return row?.column === to ? `${row.position}!` : afterAll
  }

  void start()
  return {
    picture,
    move: async (task, place) => {
      const mine: Moving = { column: place.to, position: placeAfter(place) }
      moving.set(task, mine)
      painter.soon()
      painter.now()
      const outcome = await link.command(`task:${task}`, 'task.move', place)
      if (moving.get(task) === mine) {
        const isTold = outcome.ok && (cards.get(task)?.at ?? 0) >= outcome.accepted.seq
        if (!outcome.ok || isTold) moving.delete(task)
        else mine.seq = outcome.accepted.seq
      }
      painter.soon()
      return outcome.ok ? undefined : outcome.problem
    },
    loadMore: async (column) => {
      const mine = life
      const page = await read(column)
      if (closed || life !== mine) return undefined
      if (!page.ok) return page.problem
      take(column, page.value)
      painter.soon()
      return undefined
    },
    [Symbol.dispose]: () => {
      closed = true
      painter.stop()
      retry[Symbol.dispose]()
      follow?.close()
    },
  }
}

type Place = Pick<TaskRow, 'position' | 'task'>

function inOrder(a: Place, b: Place): number {
  return compare(a.position, b.position) || compare(a.task, b.task)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
