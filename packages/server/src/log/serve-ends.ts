import { chainSeed } from './chain-hasher.ts'
import type { StoredEvent, StreamSubject, SubjectEnds } from './log-store.ts'
import { ChainWalk, type StoredRow } from './stored-row.ts'
import { LogDamaged } from './store-unavailable.ts'

/** A row of `LogStore.readEnds` as both databases give it, by the place of what it is about. */
export interface EndRow extends StoredRow {
  at: number
  epoch: string
  head: number
  /** Hash of the event before; null for the first of its stream. */
  previous: Uint8Array | null
}

/** What is served of the rows. One that is damaged hides no other: it is as if it were not there. */
export function serveEnds(of: readonly StreamSubject[], rows: readonly EndRow[]): readonly (SubjectEnds | undefined)[] {
  const found = Map.groupBy(rows, ({ at }) => at)
  return of.map(({ stream }, at) => {
    const [first, ...more] = found.get(at) ?? []
    if (!first) return undefined
    const { epoch, head } = first
    const events = [first, ...more].map((row) => serveOne(stream, row))
    return events.every((event) => event !== undefined) ? { epoch, head, events } : undefined
  })
}

function serveOne(stream: string, { epoch, previous, ...row }: EndRow): StoredEvent | undefined {
  const hash = previous ?? chainSeed(stream, epoch)
  try {
    return new ChainWalk({ stream, epoch, seq: row.seq - 1, hash }).serve(row)
  } catch (error) {
    if (error instanceof LogDamaged) return undefined
    throw error
  }
}
