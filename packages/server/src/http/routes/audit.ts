import { Readable } from 'node:stream'
import { AuditKey, AuditPage, auditFilters } from '@hotline/protocol/audit'
import { type Problem, problem } from '@hotline/protocol/error'
import { Id } from '@hotline/protocol/ids'
import { z } from 'zod'
import type { Principal } from '../../access/principal.ts'
import { chainLines } from '../../audit/chain-lines.ts'
import type { HeadKeyDesk } from '../../audit/head-key-desk.ts'
import { csvHead, csvLine, jsonLine } from '../../audit/entry-text.ts'
import {
  type AuditFilters,
  type AuditPorts,
  type AuditReach,
  readAuditPage,
  walkAudit,
} from '../../audit/walk-audit.ts'
import type { AuditPosition } from '../../log/audit-list.ts'
import type { Lists } from '../../log/lists.ts'
import type { LogStore } from '../../log/log-store.ts'
import type { Exchange } from '../../session/exchange.ts'
import { nothingHere } from '../../session/outcome.ts'
import { Nothing, type RegisterRoute } from '../route.ts'
import { projectsOf } from './sessions.ts'

/** What these routes read. */
export interface AuditRoutePorts {
  headKeys: Pick<HeadKeyDesk, 'listed' | 'replace'>
  exchange: Pick<Exchange, 'mayRead'>
  store: LogStore
  lists: Lists
}

const pageMax = 200

/** The place where an earlier page ended, as its `next` said it. */
const Position: z.ZodType<AuditPosition, string> = z
  .string()
  .regex(
    /^[0-9TZ:.-]{20,30}~(session|task|project|server|account):[A-Za-z0-9_-]{1,64}~[1-9][0-9]{0,14}$/,
    'must be the "next" of an earlier page',
  )
  .transform((text) => {
    const [at = '', stream = '', seq = ''] = text.split('~')
    return { at, stream, seq: Number(seq) }
  })

/** Who decided, stopped, allowed and let in what, over all that the caller may see. */
export function registerAuditRoutes(route: RegisterRoute, ports: AuditRoutePorts): void {
  route({
    method: 'GET',
    url: '/api/audit',
    summary: 'A page of the audit: who decided, controlled and changed what',
    permission: 'read',
    refuses: ['not_found'],
    answer: AuditPage,
    query: z.strictObject({
      ...auditFilters,
      before: Position.optional(),
      limit: z
        .string()
        .regex(/^[0-9]{1,3}$/, 'must be a whole number in decimal digits')
        .transform(Number)
        .pipe(z.int().min(1).max(pageMax))
        .default(50),
    }),
    handle: async ({ principal, query: { before, limit, ...filters } }) => {
      const reach = await reachOf(principal, filters, ports)
      if (!reach) return { problem: nothingHere() }
      const { entries, next } = await readAuditPage(ports, reach, { filters, before, limit })
      return {
        value: {
          entries: [...entries],
          next: next ? `${next.at}~${next.stream}~${next.seq}` : null,
          reach: reach.all ? ('server' as const) : ('projects' as const),
        },
      }
    },
  })

  route({
    method: 'GET',
    url: '/api/audit/export',
    summary: 'All of the audit that I may see, as a file',
    permission: 'read',
    streams: ['text/csv; charset=utf-8', 'application/x-ndjson'],
    answer: Nothing,
    refuses: ['not_found'],
    query: z.strictObject({ ...auditFilters, format: z.enum(['csv', 'ndjson']) }),
    handle: async ({ principal, query: { format, ...filters } }) => {
      const reach = await reachOf(principal, filters, ports)
      if (!reach) return { problem: nothingHere() }
      return {
        // It is read as fast as it is taken, and no further.
        stream: Readable.from(linesOf(format, ports, reach, filters), { objectMode: false }),
        contentType: format === 'csv' ? 'text/csv; charset=utf-8; header=present' : 'application/x-ndjson',
        headers: { 'content-disposition': `attachment; filename="hotline-audit.${format}"` },
      }
    },
  })

  route({
    method: 'GET',
    url: '/api/audit/key',
    summary: 'The keys by which heads of the log are signed',
    permission: 'signed-in',
    answer: AuditKey,
    handle: () => ({ value: ports.headKeys.listed() }),
  })

  route({
    method: 'POST',
    url: '/api/audit/key',
    summary: 'Replace the key by which heads are signed',
    permission: 'account-admin',
    status: 201,
    refuses: ['already_exists'],
    proof: 'password',
    answer: AuditKey,
    handle: async ({ principal }) => {
      const replaced = await ports.headKeys.replace(principal)
      return 'code' in replaced ? { problem: replaced } : { value: replaced }
    },
  })

  route({
    method: 'GET',
    url: '/api/audit/chain',
    summary: 'The chain of hashes, to be proven without this server',
    permission: 'read',
    streams: ['application/x-ndjson'],
    answer: Nothing,
    refuses: ['not_found'],
    query: z.strictObject({ session: Id.optional() }),
    handle: async ({ principal, query }) => {
      const stream = query.session === undefined ? 'all' : `session:${query.session}`
      const mayRead = stream === 'all' ? principal.admin : await ports.exchange.mayRead(principal, stream)
      if (!mayRead) return { problem: stream === 'all' ? adminsOnly() : nothingHere() }
      return {
        stream: Readable.from(chainLines(ports.store, stream), { objectMode: false }),
        contentType: 'application/x-ndjson',
        headers: { 'content-disposition': 'attachment; filename="hotline-chain.ndjson"' },
      }
    },
  })
}

function adminsOnly(): Problem {
  return problem('forbidden', 'Only an admin of this server can export all of it. With ?session= you get one session.')
}

async function* linesOf(
  format: 'csv' | 'ndjson',
  ports: AuditPorts,
  reach: AuditReach,
  filters: AuditFilters,
): AsyncGenerator<string, void, undefined> {
  if (format === 'csv') yield csvHead
  for await (const entry of walkAudit(ports, reach, filters)) yield format === 'csv' ? csvLine(entry) : jsonLine(entry)
}

/** Who answers for the server sees all of it; others what belongs to their projects. Undefined for another's project. */
async function reachOf(
  principal: Principal,
  { project }: AuditFilters,
  { lists }: AuditRoutePorts,
): Promise<AuditReach | undefined> {
  if (principal.admin) return { all: true }
  const projects = principal.kind === 'runner' ? [] : await projectsOf(principal, lists)
  if (project !== undefined && !projects.includes(project)) return undefined
  return { all: false, projects, self: principal.id }
}
