import { ChainHasher } from './chain-hasher.ts'
import type { StoredEvent } from './log-store.ts'
import { storableText } from './row-statements.ts'
import { LogDamaged } from './store-unavailable.ts'
import { wireBytes } from './sealed-event.ts'
import type { ChainEnd } from './sealed-event.ts'

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

/** Walks the rows of a stream and looks whether each of them continues the chain. */
export class ChainWalk {
  readonly #hasher = new ChainHasher()
  #end: ChainEnd

  /** The row that comes must have the number after `end` and continue its hash. */
  constructor(end: ChainEnd) {
    this.#end = end
  }

  get end(): ChainEnd {
    return this.#end
  }

  /** Goes on from elsewhere in the same stream. */
  moveTo(seq: number, hash: Uint8Array): void {
    this.#end = { ...this.#end, seq, hash }
  }

  /** Goes over the row; answers why it does not continue the chain, or its hash in hex. */
  step(row: StoredRow): { broken: string } | { hash: string } {
    const { epoch, seq, hash } = this.#end
    if (row.seq !== seq + 1) return { broken: `event ${seq + 1} is missing` }
    if (row.body !== null && row.salt === null) return { broken: 'the salt of the body is missing' }
    const digest =
      row.body !== null && row.salt !== null ? this.#hasher.digestBody(row.salt, row.body) : (row.digest ?? undefined)
    const found = this.#hasher.link({ epoch, seq: row.seq, previous: hash }, row.header, digest)
    if (found !== hexOf(row.hash)) return { broken: 'its bytes do not give its hash' }
    this.moveTo(row.seq, row.hash)
    return { hash: found }
  }

  /**
   * Goes over the row and gives what is served. Every read goes through here: a page of a thousand events costs a few
   * milliseconds more, and a flipped bit on a disk is never shown to anybody. Throws `LogDamaged`.
   */
  serve(row: StoredRow): StoredEvent {
    const step = this.step(row)
    if ('broken' in step) throw new LogDamaged(this.#end.stream, this.#end.seq + 1, step.broken)
    return {
      seq: row.seq,
      type: row.type,
      subject: row.subject ?? undefined,
      bytes: wireBytes(row.header, row.body ?? undefined, step.hash),
      headBytes: row.header.length - 1,
    }
  }

  /**
   * What is served of the rows that come: at least one, then no more than `maxBytes`. Only where the head says that there are
   * some: throws `LogDamaged` where there are none.
   */
  servePage(rows: Iterable<StoredRow>, maxBytes: number): StoredEvent[] {
    const events: StoredEvent[] = []
    let sizeBytes = 0
    for (const row of rows) {
      const event = this.serve(row)
      sizeBytes += event.bytes.length
      if (events.length > 0 && sizeBytes > maxBytes) break
      events.push(event)
    }
    const { stream, seq } = this.#end
    if (events.length === 0) throw new LogDamaged(stream, seq + 1, 'it is missing')
    return events
  }
}

/** A header must name the place where it stands. */
export function brokenHeader(stream: string, row: Pick<StoredRow, 'header' | 'seq'>): string | undefined {
  const header = readHeader(row.header)
  return header ? misplaced(header, stream, row.seq) : 'its header is no JSON object'
}

/** What the columns beside the header say must be what the header says. */
export function brokenColumns(stream: string, row: StoredRow): string | undefined {
  const header = readHeader(row.header)
  if (!header) return 'its header is no JSON object'
  const elsewhere = misplaced(header, stream, row.seq)
  if (elsewhere !== undefined) return elsewhere
  if (header['type'] !== row.type) return 'its type is not the one in its header'
  const subject = typeof header['subject'] === 'string' ? storableText(header['subject']) : null
  return subject === row.subject ? undefined : 'its subject is not the one in its header'
}

function misplaced(header: Record<string, unknown>, stream: string, seq: number): string | undefined {
  if (header['stream'] !== stream) return 'its header names another stream'
  return header['seq'] === seq ? undefined : 'its header names another position'
}

/** Undefined for what we never wrote: whoever makes a chain anew can give anything its hash. */
function readHeader(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const header: unknown = JSON.parse(Buffer.from(bytes).toString())
    return typeof header === 'object' && header !== null ? (header as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}
