import type { QueryConfig } from 'pg'
import type { HeadEntry } from '../head-cache.ts'
import type { PlannedAppend } from '../plan-group.ts'
import { storableText } from '../row-statements.ts'
import type { SealedEvent } from '../sealed-event.ts'

/**
 * Moves the heads of streams and adds their events, states and commands, all in one statement and one round trip.
 *
 * The heads were known when the events were hashed; here they are compared once more, and the update holds the row of each
 * stream until the commit. If one of them is not where it was, the last line divides by zero on purpose: then nothing of
 * the statement has happened. The same statement sent twice (because a connection broke) can therefore happen only once.
 *
 * The bytes of all events travel as one parameter and are cut up by the server: arrays of bytea are sent as hex, and one
 * parameter for each value means another statement for each number of events (measured: both slower). States and commands
 * are left out where there are none, because every part costs the server time even when it is empty.
 */
const moveHeads = `
WITH moved AS (
  UPDATE streams s SET head = g.head, hash = g.hash, generation = g.generation
  FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[], $5::bigint[], $6::bigint[], $7::bytea[], $8::bigint[])
    AS g (stream, epoch, old_head, old_hash, old_generation, head, hash, generation)
  WHERE s.stream = g.stream AND s.epoch = g.epoch
    AND s.head = g.old_head AND s.hash = g.old_hash AND s.generation = g.old_generation
  RETURNING s.no, s.stream, s.head
)`
/** The same for one stream, as most transactions have it: lists of one cost the server a tenth more. */
const moveHead = `
WITH moved AS (
  UPDATE streams s SET head = $6::bigint, hash = $7::bytea, generation = $8::bigint
  WHERE s.stream = $1::text AND s.epoch = $2::text
    AND s.head = $3::bigint AND s.hash = $4::bytea AND s.generation = $5::bigint
  RETURNING s.no, s.stream, s.head
)`
const addEvents = `, new_events AS (
  INSERT INTO events (no, seq, type, subject, header, salt, body, hash)
  SELECT m.no, e.seq, e.type, e.subject,
    substr($17::bytea, e.at, e.header_bytes),
    CASE WHEN e.body_bytes > 0 THEN substr($17::bytea, e.at + e.header_bytes, e.salt_bytes) END,
    CASE WHEN e.body_bytes > 0 THEN substr($17::bytea, e.at + e.header_bytes + e.salt_bytes, e.body_bytes) END,
    substr($17::bytea, e.at + e.header_bytes + e.salt_bytes + e.body_bytes, 32)
  FROM unnest($9::int[], $10::bigint[], $11::text[], $12::text[], $13::int[], $14::int[], $15::int[], $16::int[])
    AS e (stream_at, seq, type, subject, at, header_bytes, salt_bytes, body_bytes)`
const toTheirStreams = `
  JOIN moved m ON m.stream = ($1::text[])[e.stream_at]
)`
const toTheStream = `
  CROSS JOIN moved m
)`
const putStates = `, new_states AS (
  INSERT INTO states (no, seq, state)
  SELECT m.no, m.head, t.state FROM unnest($18::text[], $19::text[]) AS t (stream, state) JOIN moved m USING (stream)
  ON CONFLICT (no) DO UPDATE SET seq = excluded.seq, state = excluded.state
)`
const addCommands = `, new_commands AS (
  INSERT INTO commands (no, principal, id, body_hash, answer)
  SELECT m.no, c.principal, c.id, c.body_hash, c.answer
  FROM unnest($20::text[], $21::text[], $22::text[], $23::text[], $24::text[])
    AS c (stream, principal, id, body_hash, answer) JOIN moved m USING (stream)
)`
const orDivideByZero = `
SELECT 1 / (count(*) = cardinality($1::text[]))::int FROM moved`
const orDivideOneByZero = `
SELECT 1 / (count(*) = 1)::int FROM moved`

/** One stream of a transaction: from where, to where. */
interface Move {
  stream: string
  before: HeadEntry
  after: HeadEntry
}

/** Everything that goes to the database for groups that were planned one after the other. */
export interface Writing {
  moves: readonly Move[]
  /** Streams that do not exist yet. */
  created: readonly Move[]
  write: QueryConfig
}

/** Puts planned appends together; `before` of a new stream is its empty beginning. */
export function writingOf(planned: readonly PlannedAppend[], beginning: (append: PlannedAppend) => HeadEntry): Writing {
  const moves = new Map<string, Move>()
  const created: Move[] = []
  const states = new Map<string, string>()
  for (const append of planned) {
    const { stream, state } = append.append
    const known = moves.get(stream)
    const move = known ?? { stream, before: append.before ?? beginning(append), after: append.after }
    if (known === undefined && append.before === undefined) created.push(move)
    move.after = append.after
    moves.set(stream, move)
    if (state !== undefined) states.set(stream, state)
  }
  // Rows are locked in this order, as far as the server follows it; a deadlock is tried again.
  const sorted = [...moves.values()].toSorted((one, other) => (one.stream < other.stream ? -1 : 1))
  return { moves: sorted, created, write: writeQuery(sorted, states, planned) }
}

function writeQuery(
  moves: readonly Move[],
  states: ReadonlyMap<string, string>,
  planned: readonly PlannedAppend[],
): QueryConfig {
  const commands = planned.flatMap(({ append }) =>
    (append.commands ?? []).map((command) => ({ ...command, stream: append.stream })),
  )
  const heads = [
    moves.map(({ stream }) => stream),
    moves.map(({ after }) => after.epoch),
    moves.map(({ before }) => before.head),
    moves.map(({ before }) => before.hash),
    moves.map(({ before }) => before.generation),
    moves.map(({ after }) => after.head),
    moves.map(({ after }) => after.hash),
    moves.map(({ after }) => after.generation),
  ]
  const one = moves.length === 1
  const values: unknown[] = [...(one ? heads.map(([value]) => value) : heads), ...eventValues(moves, planned)]
  let name = one ? 'one stream' : 'streams'
  let text = `${one ? moveHead : moveHeads}${addEvents}${one ? toTheStream : toTheirStreams}`
  // Numbers of parameters may not have holes: commands come with states, if need be with none.
  if (states.size > 0 || commands.length > 0) {
    name += ' with states'
    text += putStates
    values.push([...states.keys()], [...states.values()])
  }
  if (commands.length > 0) {
    name += ' and commands'
    text += addCommands
    values.push(
      commands.map(({ stream }) => stream),
      commands.map(({ principal }) => storableText(principal)),
      commands.map(({ id }) => storableText(id)),
      commands.map(({ bodyHash }) => bodyHash),
      commands.map(({ answer }) => answer),
    )
  }
  return { name, text: `${text}${one ? orDivideOneByZero : orDivideByZero}`, values }
}

/**
 * Parameters 9 to 17: where each part of each event lies in the bytes of all of them, and these bytes. They come last, since
 * the driver puts a message together in memory that it makes larger by half each time, and copies.
 */
function eventValues(moves: readonly Move[], planned: readonly PlannedAppend[]): unknown[] {
  const places = new Map(moves.map(({ stream }, at) => [stream, at + 1]))
  const events = planned.flatMap(({ events: sealed }) => sealed)
  const bytes = Buffer.allocUnsafe(events.reduce((sum, event) => sum + storedBytes(event), 0))
  const starts: number[] = []
  let at = 0
  for (const { header, salt, body, hash } of events) {
    starts.push(at + 1)
    bytes.set(header, at)
    at += header.length
    if (salt !== undefined) bytes.set(salt, at)
    at += salt?.length ?? 0
    if (body !== undefined) bytes.set(body, at)
    at += body?.length ?? 0
    bytes.set(hash, at)
    at += hash.length
  }
  return [
    list(planned.flatMap(({ append, events: sealed }) => sealed.map(() => places.get(append.stream) ?? 0))),
    list(events.map(({ seq }) => seq)),
    events.map(({ type }) => type),
    events.map(({ subject }) => subject ?? null),
    list(starts),
    list(events.map(({ header }) => header.length)),
    list(events.map(({ salt }) => salt?.length ?? 0)),
    list(events.map(({ body }) => body?.length ?? 0)),
    bytes,
  ]
}

function storedBytes({ header, salt, body, hash }: SealedEvent): number {
  return header.length + (salt?.length ?? 0) + (body?.length ?? 0) + hash.length
}

/** A list of numbers as PostgreSQL reads it. The driver would look in each of them for what has to be quoted. */
function list(numbers: readonly number[]): string {
  return `{${numbers.join(',')}}`
}

/** Creates the rows of new streams; does nothing for one that somebody else created in the meantime. */
export function createQuery(created: readonly Move[]): QueryConfig {
  return {
    name: 'create',
    text: `INSERT INTO streams (stream, epoch, head, hash, generation)
      SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[], $5::bigint[])
      ON CONFLICT (stream) DO NOTHING`,
    values: [
      created.map(({ stream }) => stream),
      created.map(({ before }) => before.epoch),
      created.map(({ before }) => before.head),
      created.map(({ before }) => before.hash),
      created.map(({ before }) => before.generation),
    ],
  }
}

/** The heads as they are stored; with the rows held until the end of the transaction, in the order of their names. */
export function headsQuery(streams: readonly string[], hold: 'hold' | 'look'): QueryConfig {
  return {
    name: `heads-${hold}`,
    text: `SELECT stream, no, epoch, head, hash, generation FROM streams WHERE stream = ANY ($1::text[]) ORDER BY stream${
      hold === 'hold' ? ' FOR UPDATE' : ''
    }`,
    values: [streams],
  }
}
