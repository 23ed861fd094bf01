import type { Kysely } from 'kysely'
import type { AuditTable, Tables } from './tables.ts'

/** The place of a line in the order of the audit. */
export interface AuditPosition {
  at: string
  stream: string
  seq: number
}

/** Which lines; everything that is absent means all. */
export interface AuditQuery {
  /** `all`: the server's own too. */
  projects: readonly string[] | 'all'
  stream?: string | undefined
  types?: readonly string[] | undefined
  /** Ids; one of them. */
  actors?: readonly string[] | undefined
  /** From this time on. */
  from?: string | undefined
  /** Before this time. */
  to?: string | undefined
  /** Those before this one. */
  before?: AuditPosition | undefined
  limit: number
}

const columns = ['stream', 'seq', 'at', 'type', 'actor', 'project', 'address'] as const

/** Lines of the audit, newest first. */
export async function readAudit(db: Kysely<Tables>, query: AuditQuery): Promise<readonly AuditTable[]> {
  const { projects, stream, types, actors, from, to, before } = query
  if ([projects, types, actors].some((wanted) => wanted?.length === 0)) return []
  let select = db.selectFrom('audit').select(columns)
  if (projects !== 'all') select = select.where('project', 'in', [...projects])
  if (stream !== undefined) select = select.where('stream', '=', stream)
  if (types !== undefined) select = select.where('type', 'in', [...types])
  if (actors !== undefined) select = select.where('actor', 'in', [...actors])
  if (from !== undefined) select = select.where('at', '>=', from)
  if (to !== undefined) select = select.where('at', '<', to)
  if (before !== undefined) {
    select = select.where((row) =>
      row(row.refTuple('at', 'stream', 'seq'), '<', row.tuple(before.at, before.stream, before.seq)),
    )
  }
  return select.orderBy('at', 'desc').orderBy('stream', 'desc').orderBy('seq', 'desc').limit(query.limit).execute()
}
