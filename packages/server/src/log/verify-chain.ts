import { setImmediate as nextTurn } from 'node:timers/promises'
import { brokenColumns, brokenLink } from './stored-row.ts'
import type { ChainPoint, StoredRow } from './stored-row.ts'
import { chainSeed } from './wire.ts'

/** What a stream's own row says of it. */
export interface StreamEnd {
  epoch: string
  head: number
  hash: Uint8Array
}

/** Where the rows of a stream come from. */
export interface ChainSource {
  end(): Promise<StreamEnd | undefined>
  /** Rows after a position, in order. */
  rows(after: number, limit: number): Promise<readonly StoredRow[]>
}

/** Rows that are worked through before others get a turn of the event loop. */
const chunkRows = 200

/**
 * Walks a stream from its seed to the head that it has now, and looks whether anything lies beyond. Answers the first
 * position that does not hold.
 */
export async function verifyChain(
  stream: string,
  source: ChainSource,
): Promise<{ seq: number; reason: string } | undefined> {
  const end = await source.end()
  if (end === undefined) return undefined
  const point: ChainPoint = { stream, epoch: end.epoch, seq: 0, hash: chainSeed(stream, end.epoch) }
  while (point.seq < end.head) {
    const rows = await source.rows(point.seq, Math.min(chunkRows, end.head - point.seq))
    if (rows.length === 0) return missing(point.seq + 1)
    for (const row of rows) {
      if (row.seq !== point.seq + 1) return missing(point.seq + 1)
      const reason = brokenLink(point, row) ?? brokenColumns(stream, row)
      if (reason !== undefined) return { seq: row.seq, reason }
      point.seq = row.seq
      point.hash = row.hash
    }
    await nextTurn()
  }
  if (Buffer.compare(point.hash, end.hash) !== 0) {
    return { seq: end.head, reason: 'the head of the stream has another hash than its last event' }
  }
  const beyond = await source.rows(end.head, 1)
  const now = await source.end()
  if (beyond.length === 0 || now?.head !== end.head) return undefined
  return { seq: end.head + 1, reason: 'the head of the stream lies before its last event' }
}

function missing(seq: number): { seq: number; reason: string } {
  return { seq, reason: `event ${seq} is missing` }
}
