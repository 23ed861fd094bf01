import { z } from 'zod'
import { Actor } from './actor.ts'
import { Id } from './ids.ts'

/** What something that was said is: where it is looked for can be told apart by it. */
export const searchKinds = [
  'message',
  'thought',
  'step',
  'output',
  'approval',
  'question',
  'note',
  'session',
  'task',
] as const

/** One of them; `note`: reasons, remarks and the server's own words; `session` and `task`: titles and descriptions. */
export const SearchKind = z.enum(searchKinds)
export type SearchKind = z.infer<typeof SearchKind>

/** Characters of what is looked for. */
export const searchTextMax = 200

/** One place where it was said. */
export const SearchHit = z.object({
  /** Of the event; `session:<id>` or `task:<id>`. */
  stream: z.string(),
  seq: z.int(),
  /** What the event is about: `message:<id>`, `step:<id>`, …; null where it is about nothing. */
  subject: z.string().nullable(),
  /** RFC 3339, UTC. */
  at: z.string(),
  kind: SearchKind,
  actor: Actor,
  /** Of whoever said it; null where nobody has that id any more. */
  name: z.string().nullable(),
  project: z.string(),
  session: z.string().nullable(),
  task: z.string().nullable(),
  /** The agent of the session. */
  agent: z.string().nullable(),
  /** Of the session or the card. */
  title: z.string().nullable(),
  /** Plain text around what was found; `…` where it is cut. */
  snippet: z.string(),
  /** What was found in it: from and to, in UTF-16 code units, in order and apart. */
  ranges: z.array(z.tuple([z.int(), z.int()])),
})
export type SearchHit = z.infer<typeof SearchHit>

/** `GET /api/search`: the best first. A page may hold fewer than asked for, or none, and still have a next one. */
export const SearchPage = z.object({
  hits: z.array(SearchHit),
  /** `cursor` of the next page; null at the end. */
  next: z.string().nullable(),
  /** All that was said before is found; RFC 3339, UTC. Null while the index is being made. */
  indexedTo: z.string().nullable(),
})
export type SearchPage = z.infer<typeof SearchPage>

/** RFC 3339 in UTC, or a day, which means its beginning; as milliseconds since 1970. */
const Moment = z
  .string()
  .regex(
    /^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])(T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,3})?)?Z)?$/,
    'must be 2026-01-31 or 2026-01-31T12:00:00Z',
  )
  .refine((text) => !Number.isNaN(Date.parse(text)), 'is no time')
  .transform((text) => Date.parse(text))

/** What is looked for, and where; all of it together. */
export const searchFilters = {
  /** Words, "phrases", beginnings* and -not. */
  q: z.string().min(1).max(searchTextMax),
  project: Id.optional(),
  session: Id.optional(),
  task: Id.optional(),
  kind: SearchKind.optional(),
  /** An id, the name of an account, or `person`, `agent`, `service`, `runner`, `system`. */
  author: z.string().min(1).max(64).optional(),
  /** The agent of a session, as `demo`. */
  agent: Id.optional(),
  /** From this time on. */
  since: Moment.optional(),
  /** Before this time. */
  until: Moment.optional(),
}
