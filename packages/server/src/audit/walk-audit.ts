import { type AuditEntry, type auditFilters, auditedTypes } from '@hotline/protocol/audit'
import type { z } from 'zod'
import type { AuditPosition, AuditQuery } from '../log/audit-list.ts'
import type { Lists } from '../log/lists.ts'
import type { AuditTable } from '../log/tables.ts'
import { type EntryPorts, readEntries } from './read-entries.ts'

/** What is asked for, as the schemas give it. */
export type AuditFilters = z.output<z.ZodObject<typeof auditFilters>>

/** What somebody may see: all of the server, or what belongs to these projects. */
export type AuditReach = { all: true } | { all: false; projects: readonly string[]; self: string }

/** Where the audit is read from. */
export interface AuditPorts extends EntryPorts {
  lists: EntryPorts['lists'] & Pick<Lists, 'audit' | 'accountByName'>
}

/** Lines of the index that one question looks at before it answers with what it has: text is looked for in each. */
const scanMax = 1_000
const chunkLines = 200

/** Entries, newest first, and where the next page goes on; undefined at the end. */
export interface EntryPage {
  entries: readonly AuditEntry[]
  next: AuditPosition | undefined
}

/** Entries after a place. Where text is looked for, a page may be empty and still have a next one. */
export async function readAuditPage(
  ports: AuditPorts,
  reach: AuditReach,
  { filters, before, limit }: { filters: AuditFilters; before: AuditPosition | undefined; limit: number },
): Promise<EntryPage> {
  const query = await queryOf(ports, reach, filters)
  const entries: AuditEntry[] = []
  let position = before
  for (let scanned = 0; scanned < scanMax;) {
    const wanted = filters.text === undefined ? limit - entries.length : chunkLines
    const rows = await ports.lists.audit({ ...query, before: position, limit: wanted + 1 })
    const taken = rows.slice(0, wanted)
    const read = await readEntries(
      taken.map((row) => visible(row, reach)),
      ports,
    )
    for (const [at, entry] of read.entries()) {
      position = positionOf(entry)
      if (isMeant(entry, filters.text)) entries.push(entry)
      const isLast = rows.length <= wanted && at === read.length - 1
      if (isLast) return { entries, next: undefined }
      if (entries.length === limit) return { entries, next: position }
    }
    if (taken.length === 0) return { entries, next: undefined }
    scanned += taken.length
  }
  return { entries, next: position }
}

/** All of them, page by page: as many are in memory as one page holds. */
export async function* walkAudit(
  ports: AuditPorts,
  reach: AuditReach,
  filters: AuditFilters,
): AsyncGenerator<AuditEntry, void, undefined> {
  for (let before: AuditPosition | undefined, isFirst = true; isFirst || before !== undefined; isFirst = false) {
    const page = await readAuditPage(ports, reach, { filters, before, limit: chunkLines })
    yield* page.entries
    before = page.next
  }
}

async function queryOf(
  { lists }: AuditPorts,
  reach: AuditReach,
  { from, to, actor, group, type, session, project }: AuditFilters,
): Promise<Omit<AuditQuery, 'limit'>> {
  const named = actor === undefined ? undefined : await lists.accountByName(actor.toLowerCase())
  const mine = reach.all ? undefined : reach.projects
  const projects = project === undefined ? mine : mine === undefined || mine.includes(project) ? [project] : []
  const types = Object.entries(auditedTypes).flatMap(([one, of]) =>
    (group === undefined || of === group) && (type === undefined || one === type) ? [one] : [],
  )
  return {
    projects: projects ?? 'all',
    stream: session === undefined ? undefined : `session:${session}`,
    types: group === undefined && type === undefined ? undefined : types,
    actors: actor === undefined ? undefined : [actor, ...(named ? [named.account] : [])],
    from,
    to,
  }
}

/** Where somebody works from is for them, and for who answers for the server. */
function visible(row: AuditTable, reach: AuditReach): AuditTable {
  return reach.all || row.actor === reach.self ? row : { ...row, address: null }
}

function isMeant(entry: AuditEntry, text: string | undefined): boolean {
  if (text === undefined) return true
  const wanted = text.toLowerCase()
  const { about, outcome, name, channel, digest, title, type, address } = entry
  return [about, outcome, name, channel, digest, title, type, address].some((one) =>
    one?.toLowerCase().includes(wanted),
  )
}

function positionOf({ at, stream, seq }: AuditEntry): AuditPosition {
  return { at, stream, seq }
}
