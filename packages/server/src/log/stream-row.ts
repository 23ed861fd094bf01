import type { HeadEntry } from './head-cache.ts'
import type { StreamHead } from './log-store.ts'

/** A row of `streams` with the stream's state, as both databases give it. */
export interface StreamRow extends HeadEntry {
  state: string | null
}

/** The head as readers get it. */
export function streamHead(stream: string, { epoch, head, hash, generation, state }: StreamRow): StreamHead {
  return { stream, epoch, head, hash: Buffer.from(hash).toString('hex'), generation, state: state ?? undefined }
}
