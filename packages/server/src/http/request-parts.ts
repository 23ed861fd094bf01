import { issuesOf } from '@hotline/protocol/command'
import { type Problem, problem } from '@hotline/protocol/error'
import { CursorText, Id } from '@hotline/protocol/ids'
import type { IncomingHttpHeaders } from 'node:http'
import type { z } from 'zod'

/** A part of a request, read by its schema, or what is wrong with it. */
export type Part = { value: unknown } | { problem: Problem }

const queryMaxChars = 4_000

/** The query, by its strict schema; a name that is there twice is refused, since readers differ on which one counts. */
export function readQuery(url: string, schema: z.ZodType | undefined): Part {
  if (!schema) return { value: undefined }
  const at = url.indexOf('?')
  const text = at === -1 ? '' : url.slice(at + 1)
  if (text.length > queryMaxChars) return { problem: problem('invalid_request', 'The query is too long.') }
  // Without a prototype: a name such as "__proto__" is a name.
  const query = Object.create(null) as Record<string, string>
  for (const [name, value] of new URLSearchParams(text)) {
    if (name in query) return { problem: problem('invalid_request', `"${name.slice(0, 50)}" is in the query twice.`) }
    query[name] = value
  }
  return readPart({ ...query }, schema, 'query')
}

/** The body, by its strict schema. Where none is declared, nothing or an empty object may come. */
export function readBody(body: unknown, schema: z.ZodType | undefined): Part {
  if (schema) return readPart(body, schema, '')
  const empty =
    body === undefined ||
    body === null ||
    (typeof body === 'object' && !Array.isArray(body) && Object.keys(body).length === 0)
  return empty ? { value: undefined } : { problem: problem('invalid_request', 'This request takes no body.') }
}

/** The header, as it stands or in quotes, which it has as a structured field. */
export function readIdempotencyKey(headers: IncomingHttpHeaders): { value: string | undefined } | { problem: Problem } {
  const header = headers['idempotency-key']
  if (header === undefined) return { value: undefined }
  const key = Id.safeParse(/^"(.*)"$/.exec(String(header))?.[1] ?? header)
  if (key.success) return { value: key.data }
  return { problem: problem('invalid_request', 'Idempotency-Key must be 1 to 64 letters, digits, "_" or "-".') }
}

/** The header in which a browser says, when it comes back to a stream, what it heard last. */
export function readLastEventId(headers: IncomingHttpHeaders): { value: string | undefined } | { problem: Problem } {
  const header = headers['last-event-id']
  if (header === undefined) return { value: undefined }
  const cursor = CursorText.safeParse(header)
  if (cursor.success) return { value: cursor.data }
  return { problem: problem('invalid_request', 'Last-Event-ID must be <epoch>.<seq>, as the id of an event says it.') }
}

/** Any part, by its schema. */
export function readPart(input: unknown, schema: z.ZodType, prefix: string): Part {
  const parsed = schema.safeParse(input)
  if (parsed.success) return { value: parsed.data }
  const issues = issuesOf(parsed.error, prefix).map(({ path, message }) => ({
    path: path.slice(0, 100),
    message: message.slice(0, 200),
  }))
  const first = issues[0]
  const where = first === undefined || first.path === '' ? '' : ` at "${first.path}"`
  const detail = `${first?.message ?? 'It does not have the expected form'}${where}.`
  return { problem: problem('invalid_request', detail, { issues }) }
}
