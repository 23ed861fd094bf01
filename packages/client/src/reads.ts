import { limits } from '@hotline/protocol/limits'
import { asKnown } from '@hotline/protocol/known-event'
import type { Envelope } from '@hotline/protocol/event'
import type { Problem } from '@hotline/protocol/error'
import type { SessionRow } from '@hotline/protocol/http'
import { accountStream } from '@hotline/protocol/stream'
import type { UnreadPage } from '@hotline/protocol/unread'
import { type Clock, systemClock } from './clock.ts'
import type { Follow, Link, Readable } from './link.ts'
import { watchable } from './readable.ts'
import { isPassing, openRetry } from './retry.ts'
import type { SessionList } from './session-list.ts'

/** Lines of lists that change together are asked about together. */
const gatherMs = 250
/** The newest sessions; of more nobody is told how much is unread. */
const sessionsMax = 300

/** What one person has not read, on all their devices. */
export interface Reads extends Disposable {
  /** Messages that are unread, by session; those in which nothing is are left out. */
  readonly picture: Readable<ReadonlyMap<string, number>>
  /** They have read a session up to this event of it, by which so many messages had been said. Does nothing where none is new. */
  mark(session: string, seq: number, messages: number): void
}

interface Known {
  messages: number
  /** Of those that were read. */
  read: number
  seq: number
}

/**
 * Asks how much is unread whenever lines of the list change, and follows the stream of the person's own for what is read
 * here and elsewhere. Where the server keeps no such stream, everything counts as read.
 */
export function openReads(link: Link, account: string, list: SessionList, clock: Clock = systemClock): Reads {
  const stream = accountStream(account)
  const picture = watchable<ReadonlyMap<string, number>>(new Map())
  const known = new Map<string, Known>()
  /** The line that there was when it was asked about, by session. */
  const asked = new Map<string, SessionRow>()
  /** Marks on their way: the furthest of each session. */
  const sent = new Map<string, number>()
  /** Said before it was known what was read earlier. */
  const early = new Map<string, { seq: number; messages: number }>()
  let follow: Follow | undefined
  let cancel = (): void => undefined
  let waits = false
  let asking = false
  let closed = false
  const retry = openRetry(link, () => void start())

  function show(): void {
    if (closed) return
    const unread = new Map<string, number>()
    for (const [session, { messages, read }] of known) if (messages > read) unread.set(session, messages - read)
    const before = picture.value
    const isSame = unread.size === before.size && [...unread].every(([of, count]) => before.get(of) === count)
    if (!isSame) picture.set(unread)
  }

  function hear(events: readonly Envelope[]): void {
    for (const event of events) {
      const marked = asKnown(event)
      if (marked?.type !== 'read.marked') continue
      const { session, seq, messages } = marked.data
      const before = known.get(session)
      if (before && before.seq >= seq) continue
      known.set(session, { messages: Math.max(messages, before?.messages ?? 0), read: messages, seq })
    }
    show()
  }

  /** After a moment, of every line that has changed since it was asked about. */
  function soon(): void {
    if (waits || closed || !follow) return
    waits = true
    cancel = clock.after(gatherMs, () => {
      waits = false
      void ask()
    })
  }

  async function ask(): Promise<void> {
    if (asking || closed) return
    const rows = list.picture.value.sessions
      .slice(0, sessionsMax)
      .filter((row) => asked.get(row.session) !== row)
      .slice(0, limits.unreadSessions)
    if (rows.length === 0) return
    asking = true
    const sessions = rows.map(({ session }) => session).join(',')
    const page = await link.request<UnreadPage>('GET', `/api/unread?sessions=${sessions}`)
    asking = false
    if (closed) return
    if (!page.ok) return failed(page.problem)
    for (const row of rows) asked.set(row.session, row)
    for (const { session, messages, unread, seq } of page.value.sessions) {
      const before = known.get(session)
      // What was heard meanwhile is newer.
      if (before && before.seq > (seq ?? 0)) known.set(session, { ...before, messages })
      else known.set(session, { messages, read: messages - unread, seq: seq ?? 0 })
    }
    show()
    soon()
  }

  async function start(): Promise<void> {
    follow?.close()
    follow = undefined
    asked.clear()
    const page = await readPlace()
    if (closed) return
    if (!page.ok) return failed(page.problem)
    retry.succeeded()
    if (page.value.cursor === null) return
    follow = link.follow(stream, page.value.cursor, { events: hear, reset: () => void start(), ended: failed })
    soon()
    for (const [session, { seq, messages }] of early) mark(session, seq, messages)
    early.clear()
  }

  /** The stream is begun where it is not there yet. */
  async function readPlace(): ReturnType<typeof link.request<UnreadPage>> {
    const page = await link.request<UnreadPage>('GET', '/api/unread')
    if (closed || !page.ok || page.value.cursor !== null) return page
    const begun = await link.command(stream, 'account.begin', {})
    return begun.ok && !closed ? link.request<UnreadPage>('GET', '/api/unread') : page
  }

  function failed(problem: Problem): void {
    if (!closed && isPassing(problem)) retry.after(problem)
  }

  /** One at a time of each session: what is read meanwhile goes with the next one. */
  async function send(session: string, seq: number): Promise<void> {
    sent.set(session, seq)
    await link.command(stream, 'read.mark', { session, seq })
    const further = sent.get(session) ?? seq
    sent.delete(session)
    if (further > seq && !closed) await send(session, further)
  }

  function mark(session: string, seq: number, messages: number): void {
    if (closed) return
    if (!follow) return void early.set(session, { seq, messages })
    const { read: readMessages = 0, seq: readTo = 0 } = known.get(session) ?? {}
    if (seq <= readTo || (readTo > 0 && messages <= readMessages)) return
    const before = sent.get(session)
    if (before === undefined) void send(session, seq)
    else if (seq > before) sent.set(session, seq)
  }

  const unwatch = list.picture.watch(soon)
  void start()
  return {
    picture,
    mark,
    [Symbol.dispose]: () => {
      closed = true
      cancel()
      unwatch()
      follow?.close()
      retry[Symbol.dispose]()
    },
  }
}
