import { askKey } from '@hotline/core/account/ask-key'
import type { ApprovalItem, QuestionItem } from '@hotline/core/transcript/item'
import { emptyTranscript, foldTranscript, type Transcript } from '@hotline/core/transcript/transcript'
import { type AskPage, type AskRow, askedSessionsMax } from '@hotline/protocol/asks'
import type { Envelope } from '@hotline/protocol/event'
import type { Problem } from '@hotline/protocol/error'
import type { SessionRow } from '@hotline/protocol/http'
import type { Link, Readable } from './link.ts'
import { watchable } from './readable.ts'
import { isPassing, openRetry } from './retry.ts'
import type { SessionList } from './session-list.ts'

/** What is kept of open asks at once; nobody looks over more, and the others come as these are answered. */
const asksMax = 500

/** Something that is asked and open, as it was asked. */
export interface OpenAsk {
  row: AskRow
  item: ApprovalItem | QuestionItem
}

/** All that is asked across sessions, as it stands now: always whole, never changed in place. */
export interface InboxPicture {
  /** `failed`: it cannot be shown, for the reason in `problem`. A passing problem stands beside what is shown. */
  status: 'loading' | 'live' | 'failed'
  problem?: Problem
  asks: readonly OpenAsk[]
  /** Asked as well, and not read: there are too many, or it cannot be read. */
  further: number
}

/** What agents ask, across sessions, live. */
export interface Inbox extends Disposable {
  readonly picture: Readable<InboxPicture>
}

/** Follows what is asked in the sessions of a list: of each that the list tells of, what it asks is read once. */
export function openInbox(link: Link, list: SessionList): Inbox {
  const picture = watchable<InboxPicture>({ status: 'loading', asks: [], further: 0 })
  const known = new Map<string, OpenAsk>()
  /** Sessions that were read, as they were then: what did not come with that is not asked for again. */
  const read = new Map<string, string>()
  let reading = false
  let closed = false
  const retry = openRetry(link, () => void readOn())

  function show(problem?: Problem): void {
    if (closed) return
    const { status, sessions, problem: listProblem } = list.picture.value
    const open = new Set(sessions.flatMap(keysOf))
    for (const key of known.keys()) if (!open.has(key)) known.delete(key)
    const asks = [...known.values()]
    const further = open.size - asks.length
    const isBegun = status === 'live' && (further === 0 || !reading || picture.value.status === 'live')
    const why = problem ?? listProblem
    const shown = status === 'failed' ? 'failed' : isBegun ? 'live' : picture.value.status
    picture.set({ status: shown, asks, further, ...(why ? { problem: why } : {}) })
  }

  /** Sessions that ask something that is not known here. */
  function missing(): readonly SessionRow[] {
    return list.picture.value.sessions.filter(
      (row) => keysOf(row).some((key) => !known.has(key)) && read.get(row.session) !== asked(row),
    )
  }

  async function readOn(): Promise<void> {
    if (reading || closed) return
    reading = true
    for (let rows = missing(); rows.length > 0 && known.size < asksMax; rows = missing()) {
      show()
      const some = rows.slice(0, askedSessionsMax)
      const problem = await readSessions(some)
      if (closed) return
      if (problem) {
        reading = false
        show(problem)
        if (isPassing(problem)) retry.after(problem)
        return
      }
      retry.succeeded()
      for (const row of some) read.set(row.session, asked(row))
    }
    reading = false
    show()
  }

  async function readSessions(rows: readonly SessionRow[]): Promise<Problem | undefined> {
    const sessions = rows.map(({ session }) => session).join(',')
    for (let before: string | null | undefined; before !== null;) {
      const from: string = before === undefined ? '' : `&before=${encodeURIComponent(before)}`
      const page = await link.request<AskPage>('GET', `/api/asks?sessions=${sessions}${from}`)
      if (!page.ok) return page.problem
      if (closed || known.size >= asksMax) return undefined
      for (const row of page.value.asks) {
        const item = itemOf(foldTranscript(emptyTranscript, row.events))
        if (item) known.set(askKey(row.session, row.ask), { row, item })
      }
      before = page.value.next
    }
    return undefined
  }

  const changed = (): void => {
    show()
    void readOn()
  }
  const unwatch = list.picture.watch(changed)
  changed()
  return {
    picture,
    [Symbol.dispose]: () => {
      closed = true
      unwatch()
      retry[Symbol.dispose]()
    },
  }
}

/** One ask as it stands now, answered or not; it is followed until this is disposed of. */
export interface AskView extends Disposable {
  readonly item: Readable<ApprovalItem | QuestionItem>
}

/** Goes on from what is known of an ask with what comes of it: more time, an answer and whose, what the agent heard. */
export function openAskView(link: Link, { row, item: first }: OpenAsk): AskView {
  const item = watchable(first)
  const subject = `${row.kind}:${row.ask}`
  let transcript = foldTranscript(emptyTranscript, row.events)
  const follow = link.follow(`session:${row.session}`, row.cursor, {
    events: (events: readonly Envelope[]) => {
      const mine = events.filter((event) => event.subject === subject)
      if (mine.length === 0) return
      transcript = foldTranscript(transcript, mine)
      const now = itemOf(transcript)
      if (now) item.set(now)
    },
  })
  return { item, [Symbol.dispose]: () => follow.close() }
}

function itemOf({ items: [item] }: Transcript): ApprovalItem | QuestionItem | undefined {
  return item?.kind === 'approval' || item?.kind === 'question' ? item : undefined
}

function keysOf({ session, openApprovals, openQuestions }: SessionRow): readonly string[] {
  return [...openApprovals, ...openQuestions].map((ask) => askKey(session, ask))
}

/** What a session asks, as one text. */
function asked({ openApprovals, openQuestions }: SessionRow): string {
  return [...openApprovals, ...openQuestions].join(' ')
}
