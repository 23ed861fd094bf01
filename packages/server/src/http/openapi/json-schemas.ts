import { z } from 'zod'
import { schemaNames } from './schema-names.ts'

/** A JSON Schema of draft 2020-12, or any other part of a document. */
export type Json = Record<string, unknown>

/** Schemas of one document, by the keys under which they were given, and those that they refer to. */
export interface JsonSchemas {
  byKey: Readonly<Record<string, Json>>
  named: Readonly<Record<string, Json>>
}

/** Where the schemas of a document refer to each other: OpenAPI takes draft 2020-12, AsyncAPI draft 7. */
export type Draft = 'draft-2020-12' | 'draft-7'

const prefix = /^#\/(\$defs|definitions)\//

/**
 * Schemas as JSON Schema, all at once, so that each name is there once. `io`: what is sent (`input`), or what it is after
 * reading (`output`). References go to `#/components/schemas/`.
 */
export function jsonSchemas(
  schemas: Readonly<Record<string, z.ZodType>>,
  io: 'input' | 'output',
  target: Draft = 'draft-2020-12',
): JsonSchemas {
  const all = z.toJSONSchema(z.object(schemas), {
    io,
    target,
    metadata: schemaNames(),
    unrepresentable: 'any',
    override: ({ jsonSchema }) => plain(jsonSchema),
  })
  const {
    properties = {},
    $defs,
    definitions = {},
  } = refer(all) as {
    properties?: Record<string, Json>
    $defs?: Record<string, Json>
    definitions?: Record<string, Json>
  }
  const named = Object.entries($defs ?? definitions).map(
    ([name, { id: _id, $id: _uri, ...schema }]): [string, Json] => [name, schema],
  )
  return { byKey: properties, named: Object.fromEntries(named.toSorted(([a], [b]) => (a < b ? -1 : 1))) }
}

/** Bounds that every number in JSON has say nothing. */
function plain(schema: Json): void {
  if (schema['minimum'] === Number.MIN_SAFE_INTEGER) delete schema['minimum']
  if (schema['maximum'] === Number.MAX_SAFE_INTEGER) delete schema['maximum']
}

function refer(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(refer)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      name === '$ref' && typeof member === 'string' ? member.replace(prefix, '#/components/schemas/') : refer(member),
    ]),
  )
}
