import { AnyCommand } from '@hotline/protocol/any-command'
import { parseCommand } from '@hotline/protocol/command'
import { Accepted } from '@hotline/protocol/command-answer'
import { problem } from '@hotline/protocol/error'
import { EventPage, SessionPage, type SessionRow, SessionSnapshot, TranscriptWindow } from '@hotline/protocol/http'
import { limits } from '@hotline/protocol/limits'
import { isLive, type SessionStatus, sessionStatuses } from '@hotline/protocol/session-status'
import { formatCursor, parseCursor } from '@hotline/protocol/stream'
import { CursorText, Id } from '@hotline/protocol/ids'
import { z } from 'zod'
import type { Principal } from '../../access/principal.ts'
import type { Feeds } from '../../feed/feeds.ts'
import { growthAfter } from '../../feed/growth.ts'
import { sentence } from '../../gate/gate.ts'
import type { Lists, SessionPosition } from '../../log/lists.ts'
import type { LogStore, StoredEvent } from '../../log/log-store.ts'
import { readEvent } from '../../log/read-event.ts'
import type { SessionTable } from '../../log/tables.ts'
import type { Clock } from '../../machine/clock.ts'
import type { Exchange } from '../../session/exchange.ts'
import { type CommandOutcome, nothingHere } from '../../session/outcome.ts'
import { commandRefusals } from '../refusals.ts'
import type { RegisterRoute } from '../route.ts'

/** What these routes read and write. */
export interface SessionRoutePorts {
  exchange: Exchange
  store: LogStore
  lists: Lists
  feeds: Feeds
  clock: Clock
}

const OfSession = z.strictObject({ id: Id })
/** Digits alone: `0x10`, `1e3` and `+5` are numbers to JavaScript, and typing errors here. */
export const Decimal = z
  .string()
  .regex(/^[0-9]{1,15}$/, 'must be a whole number in decimal digits')
  .transform(Number)
/** The place where an earlier page ended, as its `next` said it. */
export const PagePosition: z.ZodType<SessionPosition, string> = z
  .string()
  .regex(/^[0-9TZ:.-]{20,30}~[A-Za-z0-9_-]{1,64}$/, 'must be the "next" of an earlier page')
  .transform((text) => {
    const at = text.indexOf('~')
    return { updatedAt: text.slice(0, at), session: text.slice(at + 1) }
  })
/** How many rows or events a page may hold. */
export const Count = Decimal.pipe(z.int().min(1).max(limits.pageEvents))

/** Sessions, their events and windows, and commands: the same log that sockets follow. */
export function registerSessionRoutes(route: RegisterRoute, ports: SessionRoutePorts): void {
  const { exchange, store, lists, feeds, clock } = ports

  route({
    method: 'POST',
    url: '/api/commands',
    summary: 'Send a command: everything that changes a session, a card or a project',
    permission: 'signed-in',
    refuses: commandRefusals,
    example: {
      id: '0198a1c0-0000-7000-8000-000000000001',
      stream: 'task:0198a1c0-0000-7000-8000-000000000002',
      type: 'task.create',
      data: { project: 'default', title: 'Write the release notes' },
    },
    answer: Accepted,
    body: z.unknown(),
    bodyShape: AnyCommand,
    handle: async ({ principal, body }) => {
      const outcome = await carryOut(exchange, principal, body)
      return outcome.ok ? { value: outcome.accepted } : { problem: outcome.problem }
    },
  })

  route({
    method: 'GET',
    url: '/api/sessions',
    summary: 'A page of sessions, newest first',
    permission: 'read',
    refuses: ['not_found'],
    answer: SessionPage,
    query: z.strictObject({
      project: Id.optional(),
      status: z.enum(sessionStatuses).optional(),
      needs: z.enum(['any']).optional(),
      /** Those that can still go on, whatever they wait for. */
      live: z.enum(['any']).optional(),
      limit: Count.default(50),
      before: PagePosition.optional(),
    }),
    handle: async ({ principal, query }) => {
      const mine = (await projectsOf(principal, lists)).filter((project) => !query.project || project === query.project)
      if (query.project && mine.length === 0) return { problem: nothingHere() }
      // The cursors are read first: what a follower sees after them can only be newer than the rows.
      const cursors: Record<string, string> = {}
      for (const project of mine) {
        const head = await store.head(`project:${project}`)
        if (head) cursors[head.stream] = `${head.epoch}.${head.head}`
      }
      const page = await lists.sessions({
        projects: mine,
        ...(query.status || query.live ? { statuses: statusesOf(query) } : {}),
        ...(query.needs ? { needs: 'open' } : {}),
        limit: query.limit,
        ...(query.before ? { after: query.before } : {}),
      })
      const next = page.next ? positionText(page.next) : null
      return { value: { sessions: page.sessions.map(sessionRow), next, cursors } }
    },
  })

  route({
    method: 'GET',
    url: '/api/sessions/:id',
    summary: 'The state of a session at a cursor',
    permission: 'signed-in',
    answer: SessionSnapshot,
    params: OfSession,
    handle: async ({ principal, params }) => {
      const stream = `session:${params.id}`
      if (!(await exchange.mayRead(principal, stream))) return { problem: nothingHere() }
      const snapshot = await exchange.snapshot(stream)
      return snapshot ? { value: { stream, ...snapshot } } : { problem: nothingHere() }
    },
  })

  route({
    method: 'GET',
    url: '/api/sessions/:id/events',
    summary: 'Events of a session after a cursor, oldest first',
    permission: 'signed-in',
    refuses: ['cursor_gone'],
    answer: EventPage,
    params: OfSession,
    query: z.strictObject({
      after: CursorText.default('0'),
      limit: Count.default(limits.pageEvents),
      /** Seconds to wait where nothing comes after the cursor yet. */
      wait: Decimal.pipe(z.int().max(limits.waitSeconds)).default(0),
    }),
    handle: async ({ principal, params, query, signal }) => {
      const stream = `session:${params.id}`
      const mayRead = (): Promise<boolean> => exchange.mayRead(principal, stream)
      const head = (await mayRead()) ? await store.head(stream) : undefined
      if (!head) return { problem: nothingHere() }
      const cursor = parseCursor(query.after)
      const after = cursor === 'start' ? 0 : cursor === 'now' ? head.head : cursor?.seq
      if (after === undefined || after > head.head || (typeof cursor === 'object' && cursor.epoch !== head.epoch)) {
        const detail = 'This cursor does not belong to the log. Read the session again and go on from its cursor.'
        return { problem: problem('cursor_gone', detail, { epoch: head.epoch, head: head.head }) }
      }
      const page = (): Promise<readonly StoredEvent[]> =>
        store.read(stream, { after, limit: query.limit, maxBytes: limits.pageBytes })
      let events = await page()
      if (events.length === 0 && query.wait > 0) {
        const feed = await feeds.open(stream)
        if (feed) await growthAfter(feed, after, { waitMs: query.wait * 1_000, clock, signal })
        if (!(await mayRead())) return { problem: nothingHere() }
        events = await page()
      }
      const last = events.at(-1)?.seq ?? after
      return {
        value: {
          stream,
          epoch: head.epoch,
          head: Math.max(head.head, last),
          events: events.map(readEvent),
          next: formatCursor({ epoch: head.epoch, seq: last }),
        },
      }
    },
  })

  route({
    method: 'GET',
    url: '/api/sessions/:id/transcript',
    summary: 'A window of a long session, newest first',
    permission: 'signed-in',
    answer: TranscriptWindow,
    params: OfSession,
    query: z.strictObject({ before: Decimal.pipe(z.int().min(1)).optional(), limit: Count.default(200) }),
    handle: async ({ principal, params, query }) => {
      const stream = `session:${params.id}`
      const head = (await exchange.mayRead(principal, stream)) ? await store.head(stream) : undefined
      if (!head) return { problem: nothingHere() }
      const upTo = Math.min(head.head, (query.before ?? head.head + 1) - 1)
      const after = Math.max(0, upTo - query.limit)
      const events = await readWhole(store, stream, after, upTo)
      const subjects = [...new Set(events.flatMap(({ subject }) => (subject === undefined ? [] : [subject])))]
      const later = upTo < head.head ? await store.readSubjects(stream, subjects, upTo, limits.pageEvents) : []
      return {
        value: {
          stream,
          epoch: head.epoch,
          head: head.head,
          from: after + 1,
          to: upTo,
          events: events.map(readEvent),
          later: later.map(readEvent),
          before: after > 0 ? after + 1 : null,
        },
      }
    },
  })
}

/** Reads a command from outside and carries it out; one that cannot be read is refused in a sentence. */
export async function carryOut(exchange: Exchange, principal: Principal, input: unknown): Promise<CommandOutcome> {
  const parsed = parseCommand(input)
  if ('command' in parsed) return await exchange.command(principal, parsed.command)
  return { ok: false, problem: problem('invalid_request', sentence(parsed.issues), { issues: parsed.issues }) }
}

/** How the end of a page is told, to go on from there. */
export function positionText({ updatedAt, session }: SessionPosition): string {
  return `${updatedAt}~${session}`
}

/** Projects whose sessions a principal may list. */
export async function projectsOf(principal: Principal, lists: Lists): Promise<readonly string[]> {
  const mine =
    principal.kind === 'runner'
      ? (await lists.projects()).map(({ project }) => project)
      : (await lists.projectsOf(principal.account ?? '')).map(({ project }) => project)
  return mine.filter((project) => principal.projects === undefined || principal.projects.includes(project))
}

/** Everything between two positions. Throws `LogDamaged` where some of it is not there. */
async function readWhole(store: LogStore, stream: string, after: number, upTo: number): Promise<StoredEvent[]> {
  const events: StoredEvent[] = []
  for (let at = after; at < upTo; at = events.at(-1)?.seq ?? upTo) {
    const range = { after: at, upTo, limit: limits.pageEvents, maxBytes: Number.MAX_SAFE_INTEGER }
    events.push(...(await store.read(stream, range)))
  }
  return events
}

function sessionRow(row: SessionTable): SessionRow {
  const {
    open_approvals,
    open_questions,
    waiting_approvals,
    answers_under_way,
    oldest_approval_at,
    needs: _needs,
    resuming: _resuming,
    untold: _untold,
    stale_since,
    exit,
    policy_mode,
    created_at,
    updated_at,
    ...same
  } = row
  return {
    ...same,
    openApprovals: JSON.parse(open_approvals) as string[],
    openQuestions: JSON.parse(open_questions) as string[],
    waitingApprovals: waiting_approvals,
    answersUnderWay: answers_under_way,
    oldestApprovalAt: oldest_approval_at,
    staleSince: stale_since,
    exit: exit === null ? null : (JSON.parse(exit) as SessionRow['exit']),
    policyMode: policy_mode === null ? null : (JSON.parse(policy_mode) as SessionRow['policyMode']),
    createdAt: created_at,
    updatedAt: updated_at,
  }
}

function statusesOf({
  status,
  live,
}: {
  status?: SessionStatus | undefined
  live?: 'any' | undefined
}): SessionStatus[] {
  return sessionStatuses.filter(
    (one) => (status === undefined || one === status) && (live === undefined || isLive(one)),
  )
}
