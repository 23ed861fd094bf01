import { Readable } from 'node:stream'
import { Id } from '@hotline/protocol/ids'
import { z } from 'zod'
import type { Exchange } from '../../session/exchange.ts'
import { type ExportPorts, sessionAsJson, sessionAsMarkdown } from '../../session/export-session.ts'
import type { Lists } from '../../log/lists.ts'
import { nothingHere } from '../../session/outcome.ts'
import { Nothing, type RegisterRoute } from '../route.ts'

const types = { markdown: 'text/markdown; charset=utf-8', json: 'application/json' } as const
const endings = { markdown: 'md', json: 'json' } as const

/** A session to be taken away, whole. */
export function registerExportRoutes(
  route: RegisterRoute,
  ports: ExportPorts & { exchange: Pick<Exchange, 'mayRead'>; lists: Lists },
): void {
  route({
    method: 'GET',
    url: '/api/sessions/:id/export',
    summary: 'A whole session as a file: Markdown to read, or JSON with every event',
    permission: 'signed-in',
    streams: Object.values(types),
    answer: Nothing,
    params: z.strictObject({ id: Id }),
    query: z.strictObject({ format: z.enum(['markdown', 'json']).default('markdown') }),
    handle: async ({ principal, params: { id }, query: { format } }) => {
      const stream = `session:${id}`
      const mayRead = await ports.exchange.mayRead(principal, stream)
      const [row, head] = mayRead ? await Promise.all([ports.lists.session(id), ports.store.head(stream)]) : []
      if (!row || !head) return { problem: nothingHere() }
      const write = format === 'json' ? sessionAsJson : sessionAsMarkdown
      return {
        // It is read as fast as it is taken, and no further.
        stream: Readable.from(write(ports, row, { epoch: head.epoch, upTo: head.head }), { objectMode: false }),
        contentType: types[format],
        headers: { 'content-disposition': `attachment; filename="session-${id}.${endings[format]}"` },
      }
    },
  })
}
