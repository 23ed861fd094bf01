import { resolvedBy } from '@hotline/core/session/resolved-by'
import { type AskRow, askedSessionsMax, type QueueStatus } from '@hotline/protocol/asks'
import type { Envelope } from '@hotline/protocol/event'
import { asKnown } from '@hotline/protocol/known-event'
import { splitStream } from '@hotline/protocol/stream'
import type { Principal } from '../../access/principal.ts'
import type { Bus } from '../../log/bus.ts'
import type { Lists, SessionPosition } from '../../log/lists.ts'
import type { LogStore } from '../../log/log-store.ts'
import type { SessionTable } from '../../log/tables.ts'
import { queueStatus } from '../../session/queue-status.ts'
import { readAsks } from '../routes/asks.ts'
import { projectsOf } from '../routes/sessions.ts'
import { type Ending, readEnding } from './ending-message.ts'
import type { Positions } from './position.ts'
import { requestIdOf } from './request-message.ts'

/** Of one approval there are few events; each more than these gave it more time. */
const eventsMax = 1_000

/** Told of an approval of a session. */
type Listener = (session: string, approval: string) => void

/** Which approvals are read. */
export interface PageQuery {
  projects: readonly string[]
  sessions?: readonly string[] | undefined
  after?: SessionPosition | undefined
  /** Reading all of a session for each that comes would be felt. */
  isWanted: (of: { session: string; approval: string; timeStands: boolean }) => boolean
}

/** What was asked for, with the ids of all that is open in the same sessions. */
export interface AskedPage {
  asks: readonly AskRow[]
  open: readonly string[]
  /** `after` of the next page. */
  next: SessionPosition | undefined
}

/** What the connections of `permissions.v1` share. */
export interface PermissionDesk extends Disposable {
  /** Projects in which somebody may see what is asked. */
  projectsOf(principal: Principal): Promise<readonly string[]>
  /** Where the streams of these projects end now. */
  heads(projects: readonly string[]): Promise<Positions>
  /** What is asked in one page of these projects, or of these sessions of them. */
  page(of: PageQuery): Promise<AskedPage>
  /** How many approvals are open in these projects, wait behind those, and were answered and not yet handed over. */
  count(projects: readonly string[]): Promise<Pick<QueueStatus, 'open' | 'waiting' | 'processing' | 'oldestAt'>>
  /** How one came to its end; undefined where it did not. */
  ending(session: string, approval: string): Promise<Ending | undefined>
  /** What was shown of one that has ended; undefined for one that has not. For a response that is sent again. */
  endedDigest(session: string, approval: string): Promise<string | undefined>
  /** Told of changes that no line of a project tells: more time for an approval, or that its agent got the answer. */
  hear(listener: Listener): () => void
}

/** Puts together what `permissions.v1` needs of the server. */
export function openPermissionDesk(ports: { lists: Lists; store: LogStore; bus: Bus }): PermissionDesk {
  const { lists, store, bus } = ports
  const listeners = new Set<Listener>()
  const leave = bus.subscribe(({ stream, events }) => {
    const changes = listeners.size === 0 ? [] : events.filter(({ type }) => quietChanges.has(type))
    for (const { subject = '' } of changes) {
      for (const listener of listeners) listener(splitStream(stream).id, subject.slice('approval:'.length))
    }
  })
  const eventsOf = async (session: string, approval: string): Promise<readonly Envelope[]> => {
    const stored = await store.readSubjects(`session:${session}`, [`approval:${approval}`], 0, eventsMax)
    return stored.map(({ bytes }) => JSON.parse(Buffer.from(bytes).toString('utf8')) as Envelope)
  }
  return {
    projectsOf: (principal) => (principal.scopes.includes('read') ? projectsOf(principal, lists) : Promise.resolve([])),
    heads: async (projects) => {
      const positions = new Map<string, string>()
      for (const project of projects) {
        const head = await store.head(`project:${project}`)
        if (head) positions.set(project, `${head.epoch}.${head.head}`)
      }
      return positions
    },
    page: async ({ isWanted, ...of }) => {
      const page = await lists.sessions({ ...of, needs: 'open', limit: askedSessionsMax })
      const read = await readAsks(
        store,
        page.sessions.map((row) => {
          const { session, status } = row
          const wanted = approvalsOf(row).filter((approval) =>
            isWanted({ session, approval, timeStands: status === 'paused' }),
          )
          return { ...row, open_approvals: JSON.stringify(wanted), open_questions: '[]' }
        }),
      )
      const rows = page.sessions.slice(0, read.sessions)
      const last = rows.at(-1)
      const isWhole = page.next === undefined && rows.length === page.sessions.length
      return {
        asks: read.asks,
        open: rows.flatMap((row) =>
          approvalsOf(row).map((approval) => requestIdOf({ session: row.session, approval })),
        ),
        next: last && !isWhole ? { updatedAt: last.updated_at, session: last.session } : undefined,
      }
    },
    count: (projects) => queueStatus(lists, projects),
    ending: async (session, approval) => {
      const events = await eventsOf(session, approval)
      return readEnding(
        requestIdOf({ session, approval }),
        events,
        async (account) => (await lists.account(account))?.name,
      )
    },
    endedDigest: async (session, approval) => {
      const events = await eventsOf(session, approval)
      const first = events[0] && asKnown(events[0])
      const isOver = events.some((event) => resolvedBy(event) !== undefined)
      return isOver && first?.type === 'approval.requested' ? first.data.digest : undefined
    },
    hear: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    [Symbol.dispose]: leave,
  }
}

function approvalsOf({ open_approvals: ids }: SessionTable): readonly string[] {
  return JSON.parse(ids) as string[]
}

const quietChanges: ReadonlySet<string> = new Set([
  'approval.extended',
  'approval.dispatched',
  'approval.dispatch_refused',
  'approval.dispatch_unknown',
])
