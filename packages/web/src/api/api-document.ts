/** Any part of a document of OpenAPI. */
export type Json = Record<string, unknown>

/** A parameter of an operation, with its reference resolved. */
export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required?: boolean
  description?: string
  schema: Json
}

/** An operation, with where it is found. */
export interface Operation {
  id: string
  method: string
  path: string
  summary: string
  description: string
  tag: string
  permission: string
  parameters: readonly Parameter[]
  body: { schema: Json; example?: unknown } | undefined
  responses: Readonly<Record<string, { description: string; content?: Record<string, { schema: Json }> }>>
}

interface Written {
  operationId: string
  summary: string
  description: string
  tags: [string]
  'x-hotline-permission': string
  parameters?: (Parameter | { $ref: string })[]
  requestBody?: { content: { 'application/json': { schema: Json; example?: unknown } } }
  responses: Operation['responses']
}

/** The document as the server serves it, as far as the page reads it. */
export interface ApiDocument {
  info: { version: string; description: string }
  paths: Record<string, Record<string, Written>>
}

/** Every operation, in the order of the document. */
export function operationsOf(document: ApiDocument): Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, written]) => ({
      id: written.operationId,
      method: method.toUpperCase(),
      path,
      summary: written.summary,
      description: written.description,
      tag: written.tags[0],
      permission: written['x-hotline-permission'],
      parameters: (written.parameters ?? []).map((one) =>
        '$ref' in one ? (resolve(document, one.$ref) as unknown as Parameter) : one,
      ),
      body: written.requestBody?.content['application/json'],
      responses: written.responses,
    })),
  )
}

/** A schema with what it refers to in its place, as deep as that can be read. */
export function spelledOut(document: ApiDocument, value: unknown, depth = 3): unknown {
  if (Array.isArray(value)) return value.map((one) => spelledOut(document, one, depth))
  if (typeof value !== 'object' || value === null) return value
  const { $ref } = value as { $ref?: string }
  if ($ref !== undefined) return depth === 0 ? $ref : spelledOut(document, resolve(document, $ref), depth - 1)
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, spelledOut(document, member, depth)]))
}

function resolve(document: ApiDocument, reference: string): Json {
  const names = reference.slice(2).split('/')
  return names.reduce<unknown>((at, name) => (at as Json)[name], document) as Json
}
