import { z } from 'zod'
import { openApiDocument } from '../openapi/document.ts'
import type { DeclaredRoute, RegisterRoute } from '../route.ts'

/** Any document of OpenAPI; its own meta-schema says the rest. */
const Document = z.looseObject({ openapi: z.literal('3.1.0') })

/**
 * The documents of this API. They are open: they hold what the source of Hotline says and nothing of this server, and
 * tools load them before anybody has a key. `declared`: all routes, asked for when the first document is.
 */
export function registerDocumentRoutes(route: RegisterRoute, declared: () => readonly DeclaredRoute[]): void {
  let made: ReturnType<typeof openApiDocument> | undefined
  route({
    method: 'GET',
    url: '/api/openapi.json',
    summary: 'This document',
    permission: 'open',
    revalidate: 'etag',
    answer: Document,
    handle: () => ({ value: (made ??= openApiDocument(declared())) }),
  })
}
