import { z } from 'zod'
import { asyncApiDocument } from '../openapi/async-document.ts'
import { openApiDocument } from '../openapi/document.ts'
import type { DeclaredRoute, RegisterRoute } from '../route.ts'

/** Any document of these formats; their own meta-schemas say the rest. */
const OpenApi = z.looseObject({ openapi: z.literal('3.1.0') })
const AsyncApi = z.looseObject({ asyncapi: z.literal('3.0.0') })

/**
 * The documents of this API. They are open: they hold what the source of Hotline says and nothing of this server, and
 * tools load them before anybody has a key. `declared`: all routes, asked for when the first document is.
 */
export function registerDocumentRoutes(route: RegisterRoute, declared: () => readonly DeclaredRoute[]): void {
  let made: ReturnType<typeof openApiDocument> | undefined
  let madeAsync: ReturnType<typeof asyncApiDocument> | undefined
  route({
    method: 'GET',
    url: '/api/openapi.json',
    summary: 'This document',
    permission: 'open',
    revalidate: 'etag',
    answer: OpenApi,
    handle: () => ({ value: (made ??= openApiDocument(declared())) }),
  })

  route({
    method: 'GET',
    url: '/api/asyncapi.json',
    summary: 'What is said over WebSocket, as AsyncAPI',
    permission: 'open',
    revalidate: 'etag',
    answer: AsyncApi,
    handle: () => ({ value: (madeAsync ??= asyncApiDocument()) }),
  })
}
