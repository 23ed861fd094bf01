import type { AskRow } from '@hotline/protocol/asks'
import type { Envelope } from '@hotline/protocol/event'
import { asKnown } from '@hotline/protocol/known-event'
import type { SessionPosition } from '../../log/lists.ts'
import type { Ending } from './ending-message.ts'
import type { PageQuery, PermissionDesk } from './permission-desk.ts'
import { type Positions, writePositions } from './position.ts'
import { KnownRequests } from './known-requests.ts'
import { readAsk, readRequestId, requestIdOf, requestMessage, type Shown, type Unsent } from './request-message.ts'

/** Open requests that one connection is shown; the others come as these are answered. */
const shownMax = 1_000
/** Ends that are remembered, so that none is told twice. */
const endedMax = 2_000
/** Sessions that are looked at together. */
const sessionsAtOnce = 50

/** What is told without being asked for. */
export type News =
  | ({ type: 'permission-request' } & Unsent<'permission-request'>)
  | ({ type: 'permission-queue-status' } & Unsent<'permission-queue-status'>)
  | Ending

/** What the news of one connection need. */
export interface NewsPorts {
  desk: PermissionDesk
  say: (news: News) => void
  /** Waits until the other side can take more; at once where it can. */
  room: () => Promise<void>
  /** Something that is to be told cannot be read. */
  failed: (error: unknown) => void
}

/** What is known of a session that changed: approvals that a line says to have ended, and those that changed otherwise. */
interface Touched {
  project: string
  ended: Set<string>
  changed: Set<string>
}

/**
 * What one connection is told. First all that is open, page by page; then of each session of which a line of its project
 * tells what it asks now, and what of that came to its end. Only names of sessions wait for a slow reader, never messages:
 * what is told is read when there is room for it, as it stands then.
 */
export class PermissionNews {
  readonly #ports: NewsPorts
  readonly #known = new KnownRequests()
  readonly #ended = new Set<string>()
  readonly #touched = new Map<string, Touched>()
  /** How many wait behind the open ones of a session, as its line told last. */
  readonly #waiting = new Map<string, number>()
  /** The projects whose lines come here, and how far. */
  readonly #positions = new Map<string, string>()
  readonly #forget: () => void
  /** The page of what is open that is read next; undefined where all of them were. */
  #page: 'first' | SessionPosition | undefined
  /** More is open than is shown. */
  #further = false
  /** Something was told since the status was. */
  #changedStatus = true
  /** What was told of it last, and whether something else was told since. */
  #numbers = ''
  #saidMore = true
  #running = false
  #closed = false

  constructor(ports: NewsPorts) {
    this.#ports = ports
    this.#forget = ports.desk.hear((session, approval) => this.#changed(session, approval))
  }

  get projects(): readonly string[] {
    return [...this.#positions.keys()]
  }

  shown(requestId: string): Shown | undefined {
    const named = readRequestId(requestId)
    return named && this.#known.get(named.session, named.approval)
  }

  /** All that is open in these projects, and what comes after their positions. */
  begin(positions: Positions): void {
    for (const [project, cursor] of positions) this.#positions.set(project, cursor)
    this.#page = 'first'
    this.#changedStatus = true
    this.#saidMore = true
    this.#wake()
  }

  /** What came in the stream of a project, up to a cursor. */
  take(project: string, cursor: string, events: readonly Envelope[]): void {
    if (!this.#positions.has(project)) return
    for (const event of events) {
      const known = asKnown(event)
      if (known?.type !== 'session.indexed') continue
      const { session, openApprovals, endedApprovals = [], waitingApprovals = 0 } = known.data
      this.#noteWaiting(session, waitingApprovals)
      const isShown = this.#known.of(session).length > 0
      if (openApprovals.length === 0 && endedApprovals.length === 0 && !isShown) continue
      const touched = this.#touched.get(session) ?? { project, ended: new Set(), changed: new Set() }
      for (const approval of endedApprovals) touched.ended.add(approval)
      this.#touched.set(session, touched)
    }
    this.#positions.set(project, cursor)
    if (this.#touched.size > 0) this.#wake()
  }

  /** A project is no longer theirs to see. */
  lose(project: string): void {
    if (!this.#positions.delete(project)) return
    for (const { requestId, toolName } of this.#known.deleteProject(project)) {
      this.#say({ type: 'permission-cancelled', requestId, toolName, reason: 'not_yours' })
    }
    this.#wake()
  }

  close(): void {
    this.#closed = true
    this.#forget()
    this.#touched.clear()
  }

  /** More time, or the agent has got its answer: no line tells that. */
  #changed(session: string, approval: string): void {
    const [shown] = this.#known.of(session)
    if (shown) {
      const touched = this.#touched.get(session) ?? { project: shown.project, ended: new Set(), changed: new Set() }
      touched.changed.add(approval)
      this.#touched.set(session, touched)
    }
    this.#changedStatus = true
    this.#wake()
  }

  #wake(): void {
    if (this.#running || this.#closed) return
    this.#running = true
    this.#run().catch((error: unknown) => {
      this.#running = false
      if (!this.#closed) this.#ports.failed(error)
    })
  }

  async #run(): Promise<void> {
    for (;;) {
      await this.#ports.room()
      if (this.#closed) return
      if (this.#page !== undefined) await this.#showPage(this.#page)
      else if (this.#touched.size > 0) await this.#lookAgain()
      else if (this.#further && this.#known.size < shownMax / 2) this.#page = 'first'
      else if (!(await this.#tellStatus())) {
        this.#running = false
        return
      }
    }
  }

  async #showPage(page: 'first' | SessionPosition): Promise<void> {
    if (page === 'first') this.#further = false
    const after = page === 'first' ? undefined : page
    const { asks, next } = await this.#ports.desk.page({
      projects: this.projects,
      after,
      isWanted: ({ session, approval }) => this.#known.get(session, approval) === undefined,
    })
    this.#page = next
    await this.#show(asks)
  }

  async #lookAgain(): Promise<void> {
    const some = [...this.#touched].slice(0, sessionsAtOnce)
    for (const [session] of some) this.#touched.delete(session)
    const sessions = some.map(([session]) => session)
    const changed = new Map(some.map(([session, touched]) => [session, touched.changed]))
    const isWanted: PageQuery['isWanted'] = ({ session, approval, timeStands }) =>
      this.#known.get(session, approval)?.timeStands !== timeStands || changed.get(session)?.has(approval) === true
    const open = new Set<string>()
    for (let after: SessionPosition | undefined; ;) {
      const page = await this.#ports.desk.page({ projects: this.projects, sessions, after, isWanted })
      for (const requestId of page.open) open.add(requestId)
      await this.#show(page.asks)
      if (!page.next) break
      after = page.next
    }
    for (const [session, { project, ended }] of some) {
      for (const { approval } of this.#known.of(session)) ended.add(approval)
      for (const approval of ended) {
        const requestId = requestIdOf({ session, approval })
        if (!open.has(requestId) && !this.#ended.has(requestId)) await this.#tellEnd(session, approval, project)
      }
    }
  }

  async #show(asks: readonly AskRow[]): Promise<void> {
    for (const row of asks) {
      const ask = readAsk(row)
      if (!ask || !this.#positions.has(row.project)) continue
      const { shown } = ask
      const before = this.#known.get(shown.session, shown.approval)
      if (before && before.expiresAt === shown.expiresAt && before.timeStands === shown.timeStands) continue
      if (!before && this.#known.size >= shownMax) {
        this.#further = true
        continue
      }
      await this.#ports.room()
      if (this.#closed) return
      this.#known.set(shown)
      this.#say({ type: 'permission-request', ...requestMessage(row, ask) })
    }
  }

  async #tellEnd(session: string, approval: string, project: string): Promise<void> {
    const ending = await this.#ports.desk.ending(session, approval)
    await this.#ports.room()
    // The right to hear of it may have been lost meanwhile.
    if (!ending || this.#closed || !this.#positions.has(project)) return
    this.#known.delete(session, approval)
    this.#ended.add(ending.requestId)
    const oldest = this.#ended.values().next().value
    if (this.#ended.size > endedMax && oldest !== undefined) this.#ended.delete(oldest)
    this.#say(ending)
  }

  #noteWaiting(session: string, count: number): void {
    if (count !== (this.#waiting.get(session) ?? 0)) this.#changedStatus = true
    if (count > 0) this.#waiting.set(session, count)
    else this.#waiting.delete(session)
  }

  /** False where nothing has changed since it was told. */
  async #tellStatus(): Promise<boolean> {
    if (!this.#changedStatus) return false
    this.#changedStatus = false
    const { open, waiting, processing, oldestAt } = await this.#ports.desk.count(this.projects)
    if (this.#closed) return true
    // Something came meanwhile: it is told first.
    if (this.#touched.size > 0 || this.#page !== undefined) {
      this.#changedStatus = true
      return true
    }
    const status = { pending: open + waiting, processing, oldestAt }
    const numbers = JSON.stringify(status)
    if (numbers === this.#numbers && !this.#saidMore) return true
    this.#numbers = numbers
    this.#saidMore = false
    this.#ports.say({ type: 'permission-queue-status', ...status, cursor: writePositions(this.#positions) })
    return true
  }

  #say(news: News): void {
    this.#changedStatus = true
    this.#saidMore = true
    this.#ports.say(news)
  }
}
