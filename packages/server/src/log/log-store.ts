import type { Envelope } from '@hotline/protocol/event'
import type { StoredRow } from './stored-row.ts'
import type { RowChange } from './tables.ts'
import type { StreamEnd } from './verify-chain.ts'

/** An event before the store gave it a place: everything but its stream, `seq` and `hash`. */
export interface NewEvent extends Omit<Envelope, 'stream' | 'seq' | 'hash' | 'data' | 'body'> {
  data: object
  body?: object | undefined
  /** Where it came from: noted in the index of the audit, and no part of the event. */
  address?: string | undefined
}

/** A command that this append answers. The same sender and id get `answer` again for as long as the stream lives. */
export interface CommandRecord {
  /** `<kind>:<id>` of the sender, see `access/principal`. */
  principal: string
  id: string
  /** Hex SHA-256 of stream, type and data. */
  bodyHash: string
  /** The answer as JSON. */
  answer: string
}

/** By whom a command was sent, and under which id. */
export type CommandKey = Pick<CommandRecord, 'principal' | 'id'>
/** What is kept of a command that was answered. */
export type KnownCommand = Pick<CommandRecord, 'bodyHash' | 'answer'>

/** What is added to one stream. */
export interface Append {
  stream: string
  /** The project that the stream belongs to, for the index of the audit. */
  project?: string | undefined
  /** The head that was decided upon (0 creates the stream), or `any` for lines that depend on no state. */
  expect: number | 'any'
  /** Generation of the node that owns the stream; an older one than stored is refused as `fenced`. Absent: not owned. */
  generation?: number | undefined
  events: readonly NewEvent[]
  /** The state after the last event as JSON; absent where it did not change. */
  state?: string | undefined
  commands?: readonly CommandRecord[] | undefined
  /** Changes of lists, in the same transaction. */
  rows?: readonly RowChange[] | undefined
}

/** An event as stored: `bytes` are exactly what goes over the wire. */
export interface StoredEvent {
  seq: number
  type: string
  subject: string | undefined
  bytes: Uint8Array
  /** How many of them are the header, without its closing brace: what comes then is the body, if there is one, and the hash. */
  headBytes: number
}

/** Where a stream ended after an append, with the events as stored. */
export interface Appended {
  stream: string
  epoch: string
  head: number
  events: readonly StoredEvent[]
}

/**
 * `conflict`: the stream has moved on, or a row that must be new exists (`what` names it): read again, decide again.
 * `fenced`: another node owns the stream. `unavailable`: nothing was written (disk full, read-only, store away). Only where
 * the disk fails while it syncs and again when it is looked at, or a database is gone for long in the middle of a commit,
 * can nobody tell; then `outcome` says so, and a command that is sent again with its id finds its answer, or none.
 */
export type AppendRefusal =
  | { ok: false; reason: 'conflict'; what: string }
  | { ok: false; reason: 'fenced' }
  | { ok: false; reason: 'unavailable'; detail: string; outcome?: 'unknown' }

/** What became of a group of appends: all of it, or nothing. */
export type AppendResult = { ok: true; appended: readonly Appended[] } | AppendRefusal

/** Where a stream stands, with the state that was written last. */
export interface StreamHead {
  stream: string
  epoch: string
  head: number
  /** Of the last event; the seed of the chain for an empty stream. */
  hash: string
  generation: number
  /** The last written state as JSON, and the position it was written at: no later event changed it. */
  state: string | undefined
}

/** A stretch of a stream. */
export interface ReadRange {
  /** Positions greater than this. */
  after: number
  /** Positions up to and including this. */
  upTo?: number
  limit: number
  /** Stops before the page grows over this, but always gives one event. */
  maxBytes: number
}

/** A stretch of a stream as it is stored, with what the stream's own row says of it. */
export interface ChainPage extends StreamEnd {
  rows: readonly StoredRow[]
}

/** Something that events of a stream are about. */
export interface StreamSubject {
  stream: string
  subject: string
}

/** The first and the last event of a subject (once, where it has only one), and where its stream stands. */
export interface SubjectEnds {
  epoch: string
  head: number
  events: readonly StoredEvent[]
}

/** Which bodies go: of one subject, at these positions, or all; no later one than `upTo`. */
export interface ErasedBodies {
  subject?: string | undefined
  seqs?: readonly number[] | undefined
  upTo: number
}

/**
 * The log: streams of events, each numbered 1, 2, 3, … in commit order. What `append` resolved with is on disk. Appends
 * that arrive while a commit runs share the next one.
 */
export interface LogStore extends AsyncDisposable {
  /** All of the group or nothing. Order inside a stream follows the order of the calls. */
  append(group: readonly Append[]): Promise<AppendResult>
  head(stream: string): Promise<StreamHead | undefined>
  read(stream: string, range: ReadRange): Promise<readonly StoredEvent[]>
  /** Events of these subjects after a position, oldest first. */
  readSubjects(
    stream: string,
    subjects: readonly string[],
    after: number,
    limit: number,
  ): Promise<readonly StoredEvent[]>
  /** The events at these positions, oldest first; those that are not there are left out. */
  readAt(stream: string, seqs: readonly number[]): Promise<readonly StoredEvent[]>
  /**
   * How each of these subjects began, and what was said of it last, in their order and in one question, whatever their streams;
   * undefined for one that is not there or damaged.
   */
  readEnds(of: readonly StreamSubject[]): Promise<readonly (SubjectEnds | undefined)[]>
  /** Each of these commands of a stream, in their order; undefined for one that was never answered. */
  findCommands(stream: string, keys: readonly CommandKey[]): Promise<readonly (KnownCommand | undefined)[]>
  /**
   * Erases body and salt of the events of one subject, of those at some positions, or of all, up to a position. Header, hash and position stay, so
   * the chain still verifies. Answers how many bodies went.
   */
  erase(stream: string, what: ErasedBodies): Promise<number>
  /** Rows as they are stored, for an export that proves itself: nothing of them is checked. At least one, where there is one. */
  readChain(stream: string, after: number, limit: number): Promise<ChainPage | undefined>
  /** Names of streams after this one, in the order of their bytes. */
  streams(after: string, limit: number): Promise<readonly string[]>
  /** Walks the chain; answers the first position that does not hold, with the reason, or undefined. */
  verify(stream: string): Promise<{ seq: number; reason: string } | undefined>
}
