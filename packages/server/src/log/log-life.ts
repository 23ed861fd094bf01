import { hash } from 'node:crypto'
import type { AppendResult, LogStore } from './log-store.ts'

/**
 * The fact that tells lives of a log apart. It is written when a log is put back from a copy: what happened after the copy
 * may be known to readers and is gone, and new events will take the same places.
 */
export const lifeFact = 'life'

/** An epoch has eight of these. */
const epochChars = 8
const base36Bytes = 6

/**
 * The same log with other epochs, so that a cursor of another life is told so and never joined to this one. The epoch in
 * the chain of hashes stays as it is: what was stored goes on proving itself.
 */
export function inLife(store: LogStore, life: string): LogStore {
  const epochOf = (epoch: string): string => {
    const digest = hash('sha256', `${life} ${epoch}`, 'buffer')
    return digest.readUIntBE(0, base36Bytes).toString(36).padStart(epochChars, '0').slice(-epochChars)
  }
  return {
    append: async (group): Promise<AppendResult> => {
      const result = await store.append(group)
      if (!result.ok) return result
      return { ok: true, appended: result.appended.map((one) => ({ ...one, epoch: epochOf(one.epoch) })) }
    },
    head: async (stream) => {
      const head = await store.head(stream)
      return head && { ...head, epoch: epochOf(head.epoch) }
    },
    read: (stream, range) => store.read(stream, range),
    readSubjects: (stream, subjects, after, limit) => store.readSubjects(stream, subjects, after, limit),
    readAt: (stream, seqs) => store.readAt(stream, seqs),
    readEnds: async (of) => (await store.readEnds(of)).map((ends) => ends && { ...ends, epoch: epochOf(ends.epoch) }),
    findCommands: (stream, keys) => store.findCommands(stream, keys),
    erase: (stream, what) => store.erase(stream, what),
    // The chain is proven with the epoch that it was made with.
    readChain: (stream, after, limit) => store.readChain(stream, after, limit),
    streams: (after, limit) => store.streams(after, limit),
    verify: (stream) => store.verify(stream),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}
