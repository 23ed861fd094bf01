import { setImmediate as nextTurn } from 'node:timers/promises'
import type { EventType, KnownEvent } from '@hotline/protocol/events'
import { ApprovalRequest } from '@hotline/protocol/events/approval'
import { asKnown } from '@hotline/protocol/known-event'
import { limits } from '@hotline/protocol/limits'
import { splitStream } from '@hotline/protocol/stream'
import type { BlobStore } from '../blob/blob-store.ts'
import type { Feeds } from '../feed/feeds.ts'
import type { AuditPosition } from '../log/audit-list.ts'
import type { Bus } from '../log/bus.ts'
import type { Lists } from '../log/lists.ts'
import type { LogStore } from '../log/log-store.ts'
import { readEvent } from '../log/read-event.ts'
import { walkStreams } from '../log/walk-streams.ts'
import type { Clock } from '../machine/clock.ts'
import type { Attachments } from '../session/attachments.ts'
import { outputSeqs } from './output-seqs.ts'

/** Erasures that are looked up at once after a start. */
const pageErasures = 500

/** What could not be erased now is tried again. */
const againMs = 60_000

/** What the eraser needs of the server. */
export interface EraserPorts {
  store: LogStore
  lists: Pick<Lists, 'audit' | 'fact'>
  blobs: Pick<BlobStore, 'delete'>
  attachments: Pick<Attachments, 'forget' | 'forgetBytes'>
  feeds: Pick<Feeds, 'forget'>
  bus: Pick<Bus, 'subscribe'>
  clock: Pick<Clock, 'after'>
  fault: (error: unknown) => void
}

/** What an event says that is to go: of one subject, or all. */
interface Erasure {
  stream: string
  seq: number
  upTo: number
  subject?: string | undefined
  kind?: 'output' | undefined
}

/**
 * Carries out what `content.erased` says: the log says it first, so that it is never lost, and then the words go. What a crash
 * cut off is finished at the next start, before any erasure that comes after.
 */
export class Eraser implements AsyncDisposable {
  readonly #ports: EraserPorts
  readonly #leave: () => void
  #isClosed = false
  #work: Promise<void>
  /** Streams of which not all has gone that was said to. */
  readonly #failed = new Set<string>()
  #cancel: (() => void) | undefined

  constructor(ports: EraserPorts) {
    this.#ports = ports
    this.#leave = ports.bus.subscribe(({ stream, events }) => {
      if (events.some(({ type }) => type === 'content.erased')) this.#next(stream)
    })
    this.#work = this.#begin().catch(ports.fault)
  }

  /** Resolves with true when all has gone that the log of this stream says is erased; false where some of it could not go now. */
  async erased(stream: string): Promise<boolean> {
    // Also what nobody heard of: a commit whose outcome was not known, or what failed before.
    this.#next(stream)
    await this.#work
    return !this.#failed.has(stream)
  }

  /** What is being erased is finished; the rest waits for the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#leave()
    this.#cancel?.()
    await this.#work
  }

  #next(stream: string): void {
    this.#work = this.#work.then(() => this.#tryStream(stream))
  }

  async #begin(): Promise<void> {
    let before: AuditPosition | undefined
    const seen = new Set<string>()
    for (;;) {
      const rows = await this.#ports.lists.audit({
        projects: 'all',
        types: ['content.erased'],
        before,
        limit: pageErasures,
      })
      for (const { stream } of rows) {
        if (this.#isClosed) return
        if (!seen.has(stream)) await this.#tryStream(stream)
        seen.add(stream)
      }
      before = rows.at(-1)
      if (before === undefined) return
    }
  }

  async #tryStream(stream: string): Promise<void> {
    if (this.#isClosed) return
    this.#failed.add(stream)
    try {
      const said = await this.#saidOf(stream)
      for (const erasure of said) await this.#carryOut(erasure)
      const last = said.at(-1)
      if (last) await this.#note(last)
      this.#failed.delete(stream)
    } catch (error) {
      this.#ports.fault(error)
      this.#tryLater()
    }
  }

  #tryLater(): void {
    if (this.#isClosed) return
    this.#cancel ??= this.#ports.clock.after(againMs, () => {
      this.#cancel = undefined
      for (const stream of this.#failed) this.#next(stream)
    })
  }

  /** What is done is not looked for again at every start. */
  async #note({ stream, seq }: Erasure): Promise<void> {
    const row = { table: 'facts', put: { name: doneFact(stream), value: String(seq) } } as const
    const written = await this.#ports.store.append([{ stream, expect: 'any', events: [], rows: [row] }])
    if (!written.ok) throw new Error(`what was erased could not be noted: ${written.reason}`)
  }

  /** All that this stream says is erased and that was not carried out yet, the oldest first. */
  async #saidOf(stream: string): Promise<readonly Erasure[]> {
    const query = { projects: 'all', stream, types: ['content.erased'], limit: pageErasures } as const
    const { lists, store } = this.#ports
    const done = Number((await lists.fact(doneFact(stream))) ?? 0)
    const rows = await lists.audit(query)
    const seqs = rows.flatMap(({ seq }) => (seq > done ? [seq] : [])).toSorted((a, b) => a - b)
    return (await store.readAt(stream, seqs)).flatMap((stored) => {
      const known = asKnown(readEvent(stored))
      if (known?.type !== 'content.erased') return []
      const { subject, kind, upTo } = known.data
      // Nothing that came after it was meant.
      return [{ stream, seq: stored.seq, upTo: Math.min(upTo, stored.seq - 1), subject, kind }]
    })
  }

  async #carryOut({ stream, upTo, subject, kind: only }: Erasure): Promise<void> {
    const { store, feeds } = this.#ports
    if (only === 'output') {
      for await (const seqs of outputSeqs(store, stream, upTo)) await store.erase(stream, { seqs, upTo })
      feeds.forget(stream)
      return
    }
    const { kind } = splitStream(stream)
    // The digests are in what goes: whatever they name goes first.
    if (kind === 'session') {
      await this.#eraseContent(stream, upTo, subject)
      await this.#eraseAttachments(stream, upTo, subject)
    }
    await store.erase(stream, { subject, upTo })
    feeds.forget(stream)
    if ((kind === 'session' || kind === 'task') && subject === undefined) await this.#eraseLines(stream)
  }

  /** What the session or card was called, in the lines of its project: all but the last one, which says that it is erased. */
  async #eraseLines(stream: string): Promise<void> {
    const { store, feeds } = this.#ports
    const project = await projectOf(store, stream)
    if (project === undefined) return
    const lines = `project:${project}`
    const [ends] = await store.readEnds([{ stream: lines, subject: stream }])
    const last = ends?.events.at(-1)
    if (!last) return
    await store.erase(lines, { subject: stream, upTo: last.seq - 1 })
    feeds.forget(lines)
  }

  /** Content that lies beside the events, where no other session of the project speaks of the same. */
  async #eraseContent(stream: string, upTo: number, subject: string | undefined): Promise<void> {
    const { store, blobs } = this.#ports
    const project = await projectOf(store, stream)
    const gone = new Set<string>()
    const kept = new Set<string>()
    for await (const { seq, of, digest } of namedBy(store, stream, contentOf)) {
      const goes = seq <= upTo && (subject === undefined || of === subject)
      ;(goes ? gone : kept).add(digest)
    }
    if (project === undefined || gone.size === 0) return
    for await (const other of walkStreams(store)) {
      if (other === stream || splitStream(other).kind !== 'session' || (await projectOf(store, other)) !== project)
        continue
      for await (const { digest } of namedBy(store, other, contentOf)) kept.add(digest)
    }
    for (const digest of gone) if (!kept.has(digest)) await blobs.delete(project, digest)
  }

  /** Files of its messages; with the whole session also those that were uploaded and not sent. */
  async #eraseAttachments(stream: string, upTo: number, subject: string | undefined): Promise<void> {
    const { store, attachments } = this.#ports
    const project = await projectOf(store, stream)
    if (project === undefined) return
    const gone = new Set<string>()
    const kept = new Set<string>()
    for await (const { seq, of, digest } of namedBy(store, stream, filesOf)) {
      const goes = seq <= upTo && (subject === undefined || of === subject)
      ;(goes ? gone : kept).add(digest)
    }
    const isGone = (digest: string): boolean => !kept.has(digest) && (subject === undefined || gone.has(digest))
    await attachments.forget(splitStream(stream).id, project, isGone)
    // Where a crash came between row and bytes, no row speaks of them any more.
    await attachments.forgetBytes(
      project,
      [...gone].filter((digest) => !kept.has(digest)),
    )
  }
}

/** Says up to which event of a stream all that it says is erased is gone. */
const doneFact = (stream: string): string => `erased:${stream}`

/** The project of a session or a card, as the event says with which it begins. */
async function projectOf(store: LogStore, stream: string): Promise<string | undefined> {
  const [first] = await store.readAt(stream, [1])
  const known = first && asKnown(readEvent(first))
  return known?.type === 'session.created' || known?.type === 'task.created' ? known.data.project : undefined
}

/** Digests of what lies beside the events of a session, as `read` finds them in the body of an event. */
async function* namedBy(
  store: LogStore,
  stream: string,
  read: (event: KnownEvent) => readonly string[],
): AsyncGenerator<{ seq: number; of: string | undefined; digest: string }, void, undefined> {
  for (let after = 0; ;) {
    const page = await store.read(stream, { after, limit: limits.pageEvents, maxBytes: limits.pageBytes })
    for (const stored of page.filter(({ type }) => naming.has(type))) {
      const known = asKnown(readEvent(stored))
      for (const digest of known ? read(known) : []) yield { seq: stored.seq, of: stored.subject, digest }
    }
    const last = page.at(-1)
    if (last === undefined) return
    after = last.seq
    await nextTurn()
  }
}

/** Events that name what lies beside them. */
const naming: ReadonlySet<string> = new Set<EventType>([
  'approval.requested',
  'message.posted',
  'message.completed',
  'report.recovered',
])

/** What a request names, also one that a former runner of the session told afterwards. */
function contentOf(event: KnownEvent): readonly string[] {
  if (event.type === 'approval.requested') return contentIn(event.body)
  if (event.type !== 'report.recovered' || event.data.reported !== 'approval.requested') return []
  return contentIn(ApprovalRequest.safeParse(event.body?.body).data)
}

function contentIn(request: ApprovalRequest | undefined): readonly string[] {
  return request?.content ? [request.content.digest] : []
}

function filesOf(event: KnownEvent): readonly string[] {
  if (event.type !== 'message.posted' && event.type !== 'message.completed') return []
  return event.body?.attachments?.map(({ digest }) => digest) ?? []
}
