import type { Ids } from '../machine/ids.ts'
import type { HeadEntry } from './head-cache.ts'
import type { Append, Appended, AppendRefusal } from './log-store.ts'
import { storableText } from './row-statements.ts'
import { chainSeed, sealEvent } from './wire.ts'
import type { SealedEvent } from './wire.ts'

/** One append with its events numbered and hashed, ready to be written. */
export interface PlannedAppend {
  append: Append
  /** The stream's head before; absent where this append creates it. */
  before: HeadEntry | undefined
  /** The stream's head after. `no` is 0 until the stream's row exists. */
  after: HeadEntry
  events: readonly SealedEvent[]
}

/** A group with its places, or why it no longer fits. */
export type GroupPlan = { ok: true; planned: readonly PlannedAppend[] } | AppendRefusal

/**
 * Decides whether a group still fits the heads that it was decided upon, and gives its events their places. Nothing is
 * drawn at random for a group that is refused.
 */
export function planGroup(
  group: readonly Append[],
  headOf: (stream: string) => HeadEntry | undefined,
  ids: Ids,
): GroupPlan {
  const expected = new Map<string, number>()
  for (const append of group) {
    const stored = headOf(append.stream)
    const head = expected.get(append.stream) ?? stored?.head ?? 0
    if (append.generation !== undefined && append.generation < (stored?.generation ?? 0)) {
      return { ok: false, reason: 'fenced' }
    }
    if (append.expect !== 'any' && append.expect !== head) {
      return { ok: false, reason: 'conflict', what: append.stream }
    }
    expected.set(append.stream, head + append.events.length)
  }
  const moved = new Map<string, HeadEntry>()
  const planned = group.map((append) => {
    const one = sealAppend(append, moved.get(append.stream) ?? headOf(append.stream), ids)
    moved.set(append.stream, one.after)
    return one
  })
  return { ok: true, planned }
}

function sealAppend(append: Append, before: HeadEntry | undefined, ids: Ids): PlannedAppend {
  const epoch = before?.epoch ?? ids.epoch()
  let hash = before?.hash ?? chainSeed(append.stream, epoch)
  let seq = before?.head ?? 0
  const events: SealedEvent[] = []
  for (const event of append.events) {
    seq += 1
    const sealed = sealEvent(event, { stream: append.stream, epoch, seq, previous: hash }, () => ids.salt())
    // The column is an index over the header, and has to be text that both databases can hold.
    if (sealed.subject !== undefined) sealed.subject = storableText(sealed.subject)
    hash = sealed.hash
    events.push(sealed)
  }
  const generation = Math.max(append.generation ?? 0, before?.generation ?? 0)
  return { append, before, after: { no: before?.no ?? 0, epoch, head: seq, hash, generation }, events }
}

/** What the caller and the followers are told of it. */
export function appendedOf(planned: PlannedAppend): Appended {
  return {
    stream: planned.append.stream,
    epoch: planned.after.epoch,
    head: planned.after.head,
    events: planned.events.map(({ seq, type, subject, wire }) => ({ seq, type, subject, bytes: wire })),
  }
}
