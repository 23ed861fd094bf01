import type { Ids } from '../machine/ids.ts'
import type { HeadEntry } from './head-cache.ts'
import type { Append, Appended, AppendRefusal } from './log-store.ts'
import { storableText } from './row-statements.ts'
import { auditRows } from './audit-rows.ts'
import { chainSeed } from './chain-hasher.ts'
import { sealEvents } from './sealed-event.ts'
import type { SealedEvent, SealingMeans } from './sealed-event.ts'

/** One append with its events numbered and hashed, ready to be written. */
export interface PlannedAppend {
  append: Append
  /** The stream's head before; absent where this append creates it. */
  before: HeadEntry | undefined
  /** The stream's head after. `no` is 0 until the stream's row exists. */
  after: HeadEntry
  events: readonly SealedEvent[]
}

/** What planning needs beside the group. */
export interface PlanMeans extends SealingMeans {
  ids: Ids
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
  means: PlanMeans,
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
    const one = sealAppend(append, moved.get(append.stream) ?? headOf(append.stream), means)
    moved.set(append.stream, one.after)
    return one
  })
  return { ok: true, planned }
}

function sealAppend(append: Append, before: HeadEntry | undefined, means: PlanMeans): PlannedAppend {
  const epoch = before?.epoch ?? means.ids.epoch()
  const { stream } = append
  const end = { stream, epoch, seq: before?.head ?? 0, hash: before?.hash ?? chainSeed(stream, epoch) }
  const events = sealEvents(append.events, end, means)
  // The column is an index over the header, and has to be text that both databases can hold.
  for (const event of events) if (event.subject !== undefined) event.subject = storableText(event.subject)
  const { seq: head, hash } = events.at(-1) ?? end
  const lines = auditRows(append, end.seq)
  const generation = Math.max(append.generation ?? 0, before?.generation ?? 0)
  const written = lines.length === 0 ? append : { ...append, rows: [...(append.rows ?? []), ...lines] }
  return { append: written, before, after: { no: before?.no ?? 0, epoch, head, hash, generation }, events }
}

/** What the caller and the followers are told of it. */
export function appendedOf(planned: PlannedAppend): Appended {
  return {
    stream: planned.append.stream,
    epoch: planned.after.epoch,
    head: planned.after.head,
    events: planned.events.map(({ seq, type, subject, header, wire }) => ({
      seq,
      type,
      subject,
      bytes: wire,
      headBytes: header.length - 1,
    })),
  }
}
