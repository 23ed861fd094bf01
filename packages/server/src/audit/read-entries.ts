import { type AuditedEvent, auditWords } from '@hotline/core/audit-words'
import type { Actor } from '@hotline/protocol/actor'
import { type AuditEntry, auditGroupOf } from '@hotline/protocol/audit'
import type { Envelope } from '@hotline/protocol/event'
import type { EventOf } from '@hotline/protocol/events'
import { asKnown } from '@hotline/protocol/known-event'
import { splitStream } from '@hotline/protocol/stream'
import type { Lists } from '../log/lists.ts'
import type { LogStore } from '../log/log-store.ts'
import { readEvent } from '../log/read-event.ts'
import { damageOf } from '../log/store-unavailable.ts'
import type { AuditTable, SessionTable } from '../log/tables.ts'

/** Where entries are read from. */
export interface EntryPorts {
  store: Pick<LogStore, 'readAt' | 'readEnds'>
  lists: Pick<Lists, 'account' | 'key' | 'session'>
}

/** A line of the index with its event; undefined where that is missing or cannot be read. */
interface Found {
  row: AuditTable
  event: Envelope | undefined
}

/** What lines of the index say to a person, in their order. A stream that is damaged hides nothing of the others. */
export async function readEntries(
  rows: readonly AuditTable[],
  { store, lists }: EntryPorts,
): Promise<readonly AuditEntry[]> {
  const found = await readEvents(rows, store)
  const [abouts, names, sessions] = await Promise.all([
    readAbouts(found, store),
    readNames(found, lists),
    readSessions(rows, lists),
  ])
  return found.map((one, at) => entryOf(one, abouts[at] ?? null, names, sessions))
}

async function readEvents(rows: readonly AuditTable[], store: EntryPorts['store']): Promise<readonly Found[]> {
  const events = new Map<string, Envelope>()
  const streams = Map.groupBy(rows, ({ stream }) => stream)
  await Promise.all(
    [...streams].map(async ([stream, wanted]) => {
      const read = await orDamaged(
        store.readAt(
          stream,
          wanted.map(({ seq }) => seq),
        ),
        [],
      )
      for (const one of read) events.set(`${stream} ${one.seq}`, readEvent(one))
    }),
  )
  return rows.map((row) => ({ row, event: events.get(`${row.stream} ${row.seq}`) }))
}

/** How each was called by the event with which it began: what was asked, the name of the key. */
async function readAbouts(found: readonly Found[], store: EntryPorts['store']): Promise<readonly (string | null)[]> {
  const wanted = found.flatMap(({ row, event }) =>
    event?.subject === undefined ? [] : [{ stream: row.stream, subject: event.subject }],
  )
  const ends = wanted.length === 0 ? [] : await orDamaged(store.readEnds(wanted), [])
  let next = 0
  return found.map(({ event }) => {
    const first = event?.subject === undefined ? undefined : ends[next++]?.events[0]
    return aboutOf(event) ?? (first ? aboutOf(readEvent(first)) : null)
  })
}

function aboutOf(event: Envelope | undefined): string | null {
  // What came of it names the account already.
  if (event?.type.startsWith('account.')) return null
  const { title, text, name } = event?.body ?? {}
  const words = [title, text, name].find((one) => typeof one === 'string')
  return typeof words === 'string' ? words : null
}

/** Of people, services and machines, by their ids. */
async function readNames(found: readonly Found[], lists: EntryPorts['lists']): Promise<ReadonlyMap<string, string>> {
  const ids = new Set(
    found.flatMap(({ row, event }) => {
      const account = event?.data['account']
      return [row.actor, ...(typeof account === 'string' ? [account] : [])]
    }),
  )
  const names = await Promise.all(
    [...ids].map(async (id): Promise<[string, string | undefined]> => {
      const account = await lists.account(id)
      return [id, account?.name ?? (await lists.key(id))?.name]
    }),
  )
  return new Map(names.flatMap(([id, name]) => (name === undefined ? [] : [[id, name] as const])))
}

async function readSessions(
  rows: readonly AuditTable[],
  lists: EntryPorts['lists'],
): Promise<ReadonlyMap<string, SessionTable>> {
  const ids = new Set(rows.flatMap(({ stream }) => sessionOf(stream) ?? []))
  const sessions = await Promise.all([...ids].map((id) => lists.session(id)))
  return new Map(sessions.flatMap((session) => (session ? [[session.session, session] as const] : [])))
}

function entryOf(
  { row, event }: Found,
  about: string | null,
  names: ReadonlyMap<string, string>,
  sessions: ReadonlyMap<string, SessionTable>,
): AuditEntry {
  const { stream, seq, at, type, project, address } = row
  const group = auditGroupOf(type)
  if (group === undefined) throw new TypeError(`the audit does not list ${type}`)
  const session = sessionOf(stream)
  const known = event && asKnown(event)
  const actor: Actor = event?.actor ?? { kind: 'system', id: row.actor }
  const ofSession = session === undefined ? undefined : sessions.get(session)
  return {
    stream,
    seq,
    at,
    type,
    group,
    actor,
    name: (actor.kind === 'agent' ? ofSession?.agent : names.get(actor.id)) ?? null,
    channel: event?.channel ?? null,
    address,
    project,
    session: session ?? null,
    title: ofSession?.title ?? null,
    digest: digestOf(event),
    about,
    outcome: known
      ? auditWords(known as AuditedEvent, (account) => names.get(account) ?? account)
      : 'The log is damaged here: the event cannot be read.',
    hash: event?.hash ?? null,
  }
}

function digestOf(event: Envelope | undefined): string | null {
  const digest = (event as EventOf<'approval.resolved'> | undefined)?.data.digest
  return typeof digest === 'string' ? digest : null
}

function sessionOf(stream: string): string | undefined {
  const { kind, id } = splitStream(stream)
  return kind === 'session' ? id : undefined
}

async function orDamaged<T>(reading: Promise<T>, instead: T): Promise<T> {
  try {
    return await reading
  } catch (error) {
    if (damageOf(error) === undefined) throw error
    return instead
  }
}
