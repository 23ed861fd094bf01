import { text as textOf } from 'node:stream/consumers'
import { problem } from '@hotline/protocol/error'
import { Digest } from '@hotline/protocol/events/approval'
import { Content } from '@hotline/protocol/http'
import { limits } from '@hotline/protocol/limits'
import { Id } from '@hotline/protocol/ids'
import { z } from 'zod'
import type { Principal } from '../../access/principal.ts'
import type { BlobStore } from '../../blob/blob-store.ts'
import { sha256 } from '../../machine/sha256.ts'
import type { Exchange } from '../../session/exchange.ts'
import { nothingHere } from '../../session/outcome.ts'
import { Nothing, type RegisterRoute } from '../route.ts'

/** What these routes read and write. */
export interface ContentRoutePorts {
  exchange: Exchange
  blobs: BlobStore
}

/** JSON may write one byte of text as six. */
const bodyBytes = 6 * limits.contentBytes + 1024

const OfContent = z.strictObject({ id: Id, digest: Digest })

/** Text that is too long for its event: a runner puts it, and whoever may read the session gets it. */
export function registerContentRoutes(route: RegisterRoute, { exchange, blobs }: ContentRoutePorts): void {
  /** The project of a session that the principal may read. */
  const readable = async (principal: Principal, session: string): Promise<string | undefined> => {
    const stream = `session:${session}`
    return (await exchange.mayRead(principal, stream)) ? exchange.projectOf(stream) : undefined
  }

  route({
    method: 'PUT',
    url: '/api/sessions/:id/content/:digest',
    summary: 'Put a text that is too long for its event',
    permission: 'runner',
    answer: Nothing,
    example: { text: 'what is long' },
    params: OfContent,
    bodyBytes,
    body: Content,
    handle: async ({ principal, params, body }) => {
      const project = await readable(principal, params.id)
      if (project === undefined) return { problem: nothingHere() }
      const bytes = Buffer.from(body.text, 'utf8')
      if (sha256(bytes) !== params.digest) {
        return { problem: problem('invalid_request', 'The text does not give this digest.') }
      }
      const put = await blobs.put(project, bytes, limits.contentBytes)
      if (put.ok) return { value: undefined }
      if (put.reason === 'unavailable') {
        return { problem: problem('storage_unavailable', 'The content could not be written.', { retryAfterMs: 1_000 }) }
      }
      return {
        problem: problem('too_large', `Content may have ${limits.contentBytes} bytes, this has ${bytes.length}.`),
      }
    },
  })

  route({
    method: 'GET',
    url: '/api/sessions/:id/content/:digest',
    summary: 'A text that is too long for its event',
    permission: 'signed-in',
    answer: Content,
    params: OfContent,
    handle: async ({ principal, params }) => {
      const project = await readable(principal, params.id)
      const found = project === undefined ? undefined : await blobs.get(project, params.digest)
      return found ? { value: { text: await textOf(found.content) } } : { problem: nothingHere() }
    },
  })
}
