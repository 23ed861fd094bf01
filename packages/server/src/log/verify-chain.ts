import { setImmediate as nextTurn } from 'node:timers/promises'
import { chainSeed } from './chain-hasher.ts'
import { brokenColumns, ChainWalk } from './stored-row.ts'
import type { StoredRow } from './stored-row.ts'

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
  const { epoch } = end
  const walk = new ChainWalk({ stream, epoch, seq: 0, hash: chainSeed(stream, epoch) })
  while (walk.end.seq < end.head) {
    const { seq } = walk.end
    const rows = await source.rows(seq, Math.min(chunkRows, end.head - seq))
    if (rows.length === 0) return missing(seq + 1)
    for (const row of rows) {
      const next = walk.end.seq + 1
      if (row.seq !== next) return missing(next)
      const step = walk.step(row)
      const reason = 'broken' in step ? step.broken : brokenColumns(stream, row)
      if (reason !== undefined) return { seq: row.seq, reason }
    }
    await nextTurn()
  }
  if (Buffer.compare(walk.end.hash, end.hash) !== 0) {
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
