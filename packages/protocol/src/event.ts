import { z } from 'zod'
import { Actor, Channel } from './actor.ts'
import { StreamId } from './ids.ts'

/**
 * How one type of event is described. `data` holds facts that the rules read (never free text); `body` holds what people
 * and agents wrote, which can be erased without breaking the chain of hashes. `since` is the version of the wire that
 * brought the type.
 */
export interface EventSpec<D extends z.ZodType = z.ZodType, B extends z.ZodType | undefined = z.ZodType | undefined> {
  since: number
  data: D
  body: B
}

/** Describes a type of event; without `body` there is nothing to erase in it. */
export function defineEvent<D extends z.ZodType>(since: number, data: D): EventSpec<D, undefined>
export function defineEvent<D extends z.ZodType, B extends z.ZodType>(since: number, data: D, body: B): EventSpec<D, B>
export function defineEvent(since: number, data: z.ZodType, body?: z.ZodType): EventSpec {
  return { since, data, body }
}

/** The envelope of every event, as it is stored and sent. Unknown members and types pass through untouched. */
export const Envelope = z.looseObject({
  v: z.int(),
  stream: StreamId,
  seq: z.int().min(1),
  /** RFC 3339, UTC, milliseconds. */
  at: z.string(),
  type: z.string(),
  /** What the event is about (`message:<id>`, `approval:<id>`, …); the store finds later events of a subject by it. */
  subject: z.string().optional(),
  actor: Actor,
  channel: Channel.optional(),
  /** The command that caused it. */
  cause: z.string().optional(),
  data: z.looseObject({}),
  /** Absent where the type has none, or where it was erased. */
  body: z.looseObject({}).optional(),
  /** Hex SHA-256 over the previous hash, the epoch, the position, the header and the digest of the body. */
  hash: z.string(),
})
/** An event as it stands in the log, of whatever type; what it means is read with `asKnown`. */
export interface Envelope {
  v: number
  stream: string
  seq: number
  at: string
  type: string
  subject?: string | undefined
  actor: Actor
  channel?: string | undefined
  cause?: string | undefined
  data: Record<string, unknown>
  body?: Record<string, unknown> | undefined
  hash: string
}

/** What `decide` makes: an event before the log gave it a place. `at`, `v`, `seq` and `hash` come with the append. */
export interface Draft<T extends string = string, D = unknown, B = unknown> {
  type: T
  subject?: string
  /** Who did it, where that is not who sent the command. */
  actor?: Actor
  data: D
  body?: B
}
