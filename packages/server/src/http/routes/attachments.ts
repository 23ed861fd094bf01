import { AttachmentName, UploadedAttachment } from '@hotline/protocol/attachment'
import { safeTypes } from '@hotline/protocol/attachment'
import { type Problem, problem } from '@hotline/protocol/error'
import { Digest } from '@hotline/protocol/events/approval'
import { Id } from '@hotline/protocol/ids'
import { limits } from '@hotline/protocol/limits'
import { z } from 'zod'
import { type Principal, senderKey } from '../../access/principal.ts'
import type { Attachments } from '../../session/attachments.ts'
import type { Exchange } from '../../session/exchange.ts'
import { nothingHere } from '../../session/outcome.ts'
import { attachmentDisposition } from '../disposition.ts'
import { Nothing, type RegisterRoute } from '../route.ts'

/** What these routes read and write. */
export interface AttachmentRoutePorts {
  exchange: Exchange
  attachments: Attachments
}

/** Files that belong to messages: whoever may write, and the runner of the session, put them; whoever may read gets them. */
export function registerAttachmentRoutes(route: RegisterRoute, { exchange, attachments }: AttachmentRoutePorts): void {
  route({
    method: 'POST',
    url: '/api/sessions/:id/attachments',
    summary: 'Upload a file, to be named in a message',
    permission: 'signed-in',
    refuses: ['queue_full'],
    status: 201,
    upload: 'bytes',
    bodyBytes: limits.attachmentBytes,
    answer: UploadedAttachment,
    params: z.strictObject({ id: Id }),
    query: z.strictObject({ name: AttachmentName }),
    handle: async ({ principal, params: { id }, query: { name }, upload }) => {
      const stream = `session:${id}`
      const project = (await exchange.mayRead(principal, stream)) ? await exchange.projectOf(stream) : undefined
      if (project === undefined) return { problem: nothingHere() }
      const refusal = await mayPut(exchange, principal, stream, project)
      if (refusal) return { problem: refusal }
      if (upload === undefined) return { problem: problem('invalid_request', 'The file is empty.') }
      const kept = await attachments
        .put({ session: id, project, by: senderKey(principal), name }, upload)
        .catch((error: unknown) => {
          if (upload.destroyed) return problem('invalid_request', 'The file did not arrive whole.')
          throw error
        })
      return 'code' in kept ? { problem: kept } : { value: kept }
    },
  })

  route({
    method: 'GET',
    url: '/api/sessions/:id/attachments/:digest',
    summary: 'A file that belongs to a message',
    permission: 'signed-in',
    streams: safeTypes,
    answer: Nothing,
    revalidate: 'etag',
    params: z.strictObject({ id: Id, digest: Digest }),
    query: z.strictObject({ name: AttachmentName.optional() }),
    handle: async ({ principal, params: { id, digest }, query: { name } }) => {
      const mayRead = await exchange.mayRead(principal, `session:${id}`)
      const found = mayRead ? await attachments.get(id, digest, senderKey(principal), name) : undefined
      if (!found) return { problem: nothingHere() }
      const { row, content, sizeBytes } = found
      return {
        stream: content,
        contentType: row.type,
        tag: `"${digest}"`,
        headers: {
          'content-length': String(sizeBytes),
          'content-disposition': attachmentDisposition(row.name),
          // Whatever it is: nothing in it runs, and it is nobody's page.
          'content-security-policy': "default-src 'none'; sandbox; frame-ancestors 'none'",
          // The rights are asked each time, and what is not there any more is not shown.
          'cache-control': 'private, no-cache',
        },
      }
    },
  })
}

/** Why it may not: a person or a service needs the right to write, a machine has to hold the session. */
async function mayPut(
  exchange: Exchange,
  principal: Principal,
  stream: string,
  project: string,
): Promise<Problem | undefined> {
  if (principal.kind !== 'runner') return exchange.refusalIn(principal, project, 'write')
  const snapshot = await exchange.snapshot(stream)
  const holder = snapshot?.state.kind === 'session' ? snapshot.state.lease?.runner : undefined
  return holder === principal.id
    ? undefined
    : problem('forbidden', 'Only the machine that holds this session puts files there.')
}
