import {
  AskPage,
  type AskRow,
  askedSessionsMax,
  DecideManyAnswer,
  DecideManyBody,
  type ManyDecision,
  QueueStatus,
  type Snooze,
  SnoozePage,
} from '@hotline/protocol/asks'
import type { CommandOf } from '@hotline/protocol/command'
import type { Envelope } from '@hotline/protocol/event'
import type { EventOf } from '@hotline/protocol/events'
import { asKnown } from '@hotline/protocol/known-event'
import { limits } from '@hotline/protocol/limits'
import { accountStream, formatCursor } from '@hotline/protocol/stream'
import { Id } from '@hotline/protocol/ids'
import { z } from 'zod'
import type { Principal } from '../../access/principal.ts'
import type { Lists } from '../../log/lists.ts'
import type { LogStore, StreamSubject, SubjectEnds } from '../../log/log-store.ts'
import { readEvent } from '../../log/read-event.ts'
import type { SessionTable } from '../../log/tables.ts'
import { type Clock, timestamp } from '../../machine/clock.ts'
import type { Exchange } from '../../session/exchange.ts'
import { nothingHere } from '../../session/outcome.ts'
import { queueStatus } from '../../session/queue-status.ts'
import type { RegisterRoute } from '../route.ts'
import { PagePosition, positionText, projectsOf } from './sessions.ts'

/** What these routes read and write. */
export interface AskRoutePorts {
  exchange: Exchange
  store: LogStore
  lists: Lists
  clock: Clock
}

const oneId = '[A-Za-z0-9_][A-Za-z0-9_-]{0,63}'
const idsPattern = new RegExp(`^${oneId}(,${oneId}){0,${askedSessionsMax - 1}}$`)

/** What is asked in one page, unless a single session asks more. */
const pageAsks = 100

/** What agents ask of people, across sessions. */
export function registerAskRoutes(route: RegisterRoute, { exchange, store, lists, clock }: AskRoutePorts): void {
  route({
    method: 'GET',
    url: '/api/asks',
    summary: 'What agents ask of people now, across sessions',
    permission: 'read',
    refuses: ['not_found'],
    answer: AskPage,
    query: z.strictObject({
      project: Id.optional(),
      /** Of these sessions alone, divided by commas; one that is not there or asks nothing is passed over. */
      sessions: z
        .string()
        .regex(idsPattern, 'must be ids, divided by commas')
        .transform((text) => text.split(','))
        .pipe(z.array(Id).max(askedSessionsMax))
        .optional(),
      before: PagePosition.optional(),
    }),
    handle: async ({ principal, query }) => {
      const mine = (await projectsOf(principal, lists)).filter((project) => !query.project || project === query.project)
      if (query.project && mine.length === 0) return { problem: nothingHere() }
      const page = await lists.sessions({
        projects: mine,
        sessions: query.sessions,
        needs: 'open',
        after: query.before,
        limit: askedSessionsMax,
      })
      const read = await readAsks(store, page.sessions, await snoozesOf(exchange, principal, timestamp(clock)))
      const last = page.sessions[read.sessions - 1]
      const isWhole = page.next === undefined && read.sessions === page.sessions.length
      const next = last && !isWhole ? positionText({ updatedAt: last.updated_at, session: last.session }) : null
      return { value: { asks: read.asks, next } }
    },
  })

  route({
    method: 'GET',
    url: '/api/asks/status',
    summary: 'How many asks are open and how many wait behind them',
    permission: 'read',
    refuses: ['not_found'],
    answer: QueueStatus,
    query: z.strictObject({ project: Id.optional() }),
    handle: async ({ principal, query }) => {
      const mine = (await projectsOf(principal, lists)).filter((project) => !query.project || project === query.project)
      if (query.project && mine.length === 0) return { problem: nothingHere() }
      return { value: await queueStatus(lists, mine) }
    },
  })

  route({
    method: 'GET',
    url: '/api/snoozes',
    summary: 'Asks that I have put aside',
    permission: 'read',
    answer: SnoozePage,
    handle: async ({ principal }) => {
      const stream = accountStream(principal.id)
      // First the place and then what holds there: what comes between is heard twice, and not lost.
      const cursor = (await exchange.mayRead(principal, stream)) ? (await exchange.snapshot(stream))?.cursor : undefined
      const mine = new Set(await projectsOf(principal, lists))
      const snoozes = await snoozesOf(exchange, principal, timestamp(clock))
      return { value: { snoozes: snoozes.filter(({ project }) => mine.has(project)), cursor: cursor ?? null } }
    },
  })

  route({
    method: 'POST',
    url: '/api/approvals/decide',
    summary: 'Decide several approvals at once, each with an outcome of its own',
    permission: 'decide',
    example: {
      decisions: [
        {
          id: '0198a1c0-0000-7000-8000-000000000001',
          session: '0198a1c0-0000-7000-8000-000000000002',
          approval: '0198a1c0-0000-7000-8000-000000000003',
          digest: 'd'.repeat(64),
          verdict: 'allow',
        },
      ],
    },
    answer: DecideManyAnswer,
    body: DecideManyBody,
    handle: async ({ principal, body }) => {
      const outcomes = await Promise.all(
        body.decisions.map(async (decision) => {
          const { approval } = decision
          const outcome = await exchange.command(principal, commandOf(decision), 'with others')
          return outcome.ok
            ? { ok: true as const, approval, accepted: outcome.accepted }
            : { ok: false as const, approval, problem: outcome.problem }
        }),
      )
      return { value: { outcomes } }
    },
  })
}

/** What a person has put aside and has not come back; nothing for whoever is none. */
async function snoozesOf(exchange: Exchange, { kind, id }: Principal, now: string): Promise<readonly Snooze[]> {
  if (kind !== 'person') return []
  const state = (await exchange.snapshot(accountStream(id)))?.state
  return state?.kind === 'account' ? state.snoozed.filter(({ until }) => until > now) : []
}

/** Each is a command of its own, to its own session: decided, or refused, like one that comes alone. */
function commandOf({ id, session, ...data }: ManyDecision): CommandOf<'approval.decide'> {
  return { id, stream: `session:${session}`, type: 'approval.decide', data: { ...data, scope: 'once' } }
}

interface Asked {
  row: SessionTable
  kind: AskRow['kind']
  ask: string
}

/** What was read of it, the event by which it was asked first. */
interface Found extends Asked {
  ends: SubjectEnds
  events: readonly [Envelope, ...Envelope[]]
}

/** What these sessions ask, of as many of them as a page takes: all of a session or nothing. Three questions to the store. */
export async function readAsks(
  store: LogStore,
  rows: readonly SessionTable[],
  snoozes: readonly Snooze[] = [],
): Promise<{ asks: AskRow[]; sessions: number }> {
  const taken = upToLimit(rows, pageAsks, (row) => askedBy(row).length)
  const wanted = taken.flatMap(askedBy)
  const ends = await store.readEnds(wanted.map(({ row, kind, ask }) => subjectIn(row, `${kind}:${ask}`)))
  const found = wanted.flatMap((asked, at) => foundOf(asked, ends[at]))
  const fitting = upToLimit(taken, limits.pageBytes, (row) =>
    found.filter((one) => one.row === row).reduce((sum, one) => sum + bytesOf(one.ends), 0),
  )
  const shown = found.filter(({ row }) => fitting.includes(row))
  const subAgents = await readSubAgents(store, shown)
  return { asks: shown.map((one, at) => askRow(one, subAgents[at] ?? null, snoozes)), sessions: fitting.length }
}

/** The first of them, as many as keep within the limit, and one at least. */
function upToLimit(
  rows: readonly SessionTable[],
  limit: number,
  sizeOf: (row: SessionTable) => number,
): SessionTable[] {
  const taken: SessionTable[] = []
  let size = 0
  for (const row of rows) {
    size += sizeOf(row)
    if (taken.length > 0 && size > limit) break
    taken.push(row)
  }
  return taken
}

function askedBy(row: SessionTable): readonly Asked[] {
  const ids = (text: string, kind: Asked['kind']): Asked[] =>
    z
      .array(z.string())
      .parse(JSON.parse(text))
      .map((ask) => ({ row, kind, ask }))
  return [...ids(row.open_approvals, 'approval'), ...ids(row.open_questions, 'question')]
}

/** Nothing where it cannot be read, or was answered since the list was. */
function foundOf(asked: Asked, ends: SubjectEnds | undefined): readonly Found[] {
  const [first, ...more] = (ends?.events ?? []).map(readEvent)
  const isOpen = ['approval.requested', 'approval.opened', 'approval.extended', 'question.asked'].includes(
    (more.at(-1) ?? first)?.type ?? '',
  )
  return ends && first && isOpen ? [{ ...asked, ends, events: [first, ...more] }] : []
}

function bytesOf({ events }: SubjectEnds): number {
  return events.reduce((sum, { bytes }) => sum + bytes.length, 0)
}

function askRow(
  { row, kind, ask, ends: { epoch, head }, events }: Found,
  subAgent: string | null,
  snoozes: readonly Snooze[],
): AskRow {
  const [first] = events
  const known = asKnown(first)
  return {
    kind,
    ask,
    session: row.session,
    project: row.project,
    agent: row.agent,
    title: row.title,
    askedAt: first.at,
    risk: known?.type === 'approval.requested' ? (known.data.risk ?? null) : null,
    timeStands: row.status === 'paused',
    subAgent,
    snoozedUntil: snoozes.find((one) => one.session === row.session && one.ask === ask)?.until ?? null,
    cursor: formatCursor({ epoch, seq: head }),
    events: [...events],
  }
}

/** For each: the title of the step in which another agent works and asks for it. */
async function readSubAgents(store: LogStore, found: readonly Found[]): Promise<readonly (string | undefined)[]> {
  const steps = await readSteps(
    store,
    found.map(({ row, events: [first] }) => {
      const known = asKnown(first)
      const step = known?.type === 'approval.requested' ? known.data.step : undefined
      return step === undefined ? undefined : subjectIn(row, `step:${step}`)
    }),
  )
  const parents = await readSteps(
    store,
    found.map(({ row }, at) => {
      const parent = steps[at]?.data.parent
      return parent === undefined ? undefined : subjectIn(row, `step:${parent}`)
    }),
  )
  return parents.map((parent) => parent?.body?.title)
}

/** The events with which steps began, each in its place. */
async function readSteps(
  store: LogStore,
  wanted: readonly (StreamSubject | undefined)[],
): Promise<readonly (EventOf<'step.started'> | undefined)[]> {
  const some = wanted.filter((one) => one !== undefined)
  const ends = some.length === 0 ? [] : await store.readEnds(some)
  return wanted.map((one) => {
    const first = one && ends[some.indexOf(one)]?.events[0]
    const known = first && asKnown(readEvent(first))
    return known?.type === 'step.started' ? known : undefined
  })
}

function subjectIn({ session }: SessionTable, subject: string): StreamSubject {
  return { stream: `session:${session}`, subject }
}
