import type { StoredEvent } from './log-store.ts'
import { storableText } from './row-statements.ts'
import { LogDamaged } from './store-unavailable.ts'
import { digestBody, linkHash, wireBytes } from './wire.ts'

/** A row of `events` as both databases give it. */
export interface StoredRow {
  seq: number
  type: string
  subject: string | null
  header: Uint8Array
  salt: Uint8Array | null
  body: Uint8Array | null
  /** In place of an erased body. */
  digest: Uint8Array | null
  hash: Uint8Array
}

/**
 * A row with its byte columns joined: header, salt, body, digest, hash. The driver needs over a microsecond for each byte
 * column that it hands out, and this halves the cost of a read.
 */
export interface PackedRow {
  seq: number
  type: string
  subject: string | null
  headerBytes: number
  /** Null where there is none; so for the next two. */
  saltBytes: number | null
  bodyBytes: number | null
  digestBytes: number | null
  packed: Uint8Array
}

/** Takes the byte columns apart again; they share the memory of the packed row. */
export function unpackRow(row: PackedRow): StoredRow {
  let at = 0
  const take = (sizeBytes: number): Uint8Array => row.packed.subarray(at, (at += sizeBytes))
  return {
    seq: row.seq,
    type: row.type,
    subject: row.subject,
    header: take(row.headerBytes),
    salt: row.saltBytes === null ? null : take(row.saltBytes),
    body: row.bodyBytes === null ? null : take(row.bodyBytes),
    digest: row.digestBytes === null ? null : take(row.digestBytes),
    hash: row.packed.subarray(at),
  }
}

/** Where the chain of a stream stands while it is walked. */
export interface ChainPoint {
  stream: string
  epoch: string
  /** The row that comes must have the next number … */
  seq: number
  /** … and continue this hash. */
  hash: Uint8Array
}

/** Why the row does not continue the chain; undefined where it does. */
export function brokenLink(point: ChainPoint, row: StoredRow): string | undefined {
  if (row.seq !== point.seq + 1) return `event ${point.seq + 1} is missing`
  if (row.body !== null && row.salt === null) return 'the salt of the body is missing'
  const digest = row.body !== null && row.salt !== null ? digestBody(row.salt, row.body) : (row.digest ?? undefined)
  const hash = linkHash({ epoch: point.epoch, seq: row.seq, previous: point.hash }, row.header, digest)
  return Buffer.compare(hash, row.hash) === 0 ? undefined : 'its bytes do not give its hash'
}

/** What the columns beside the header say must be what the header says. */
export function brokenColumns(stream: string, row: StoredRow): string | undefined {
  const header = JSON.parse(Buffer.from(row.header).toString()) as Record<string, unknown>
  if (header['stream'] !== stream) return 'its header names another stream'
  if (header['seq'] !== row.seq) return 'its header names another position'
  if (header['type'] !== row.type) return 'its type is not the one in its header'
  const subject = typeof header['subject'] === 'string' ? storableText(header['subject']) : null
  return subject === row.subject ? undefined : 'its subject is not the one in its header'
}

/**
 * Checks the row against the chain and gives what is served. Every read goes through here: a page of a thousand events
 * costs a few milliseconds more, and a flipped bit on a disk is never shown to anybody. Throws `LogDamaged`.
 */
export function servedEvent(point: ChainPoint, row: StoredRow): StoredEvent {
  const reason = brokenLink(point, row)
  if (reason !== undefined) throw new LogDamaged(point.stream, point.seq + 1, reason)
  return {
    seq: row.seq,
    type: row.type,
    subject: row.subject ?? undefined,
    bytes: wireBytes(row.header, row.body ?? undefined, row.hash),
  }
}

/**
 * What is served of the rows that follow the point: at least one, then no more than `maxBytes`. Moves the point along. Only
 * where the head says that there are some: throws `LogDamaged` where there are none.
 */
export function servedPage(point: ChainPoint, rows: Iterable<StoredRow>, maxBytes: number): StoredEvent[] {
  const events: StoredEvent[] = []
  let sizeBytes = 0
  for (const row of rows) {
    const event = servedEvent(point, row)
    sizeBytes += event.bytes.length
    if (events.length > 0 && sizeBytes > maxBytes) break
    events.push(event)
    point.seq = row.seq
    point.hash = row.hash
  }
  if (events.length === 0) throw new LogDamaged(point.stream, point.seq + 1, 'it is missing')
  return events
}
