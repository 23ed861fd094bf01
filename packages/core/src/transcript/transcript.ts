import { asKnown } from '@hotline/protocol/known-event'
import type { Envelope } from '@hotline/protocol/event'
import { amend } from './amend.ts'
import { begin } from './begin.ts'
import { withoutOutput } from './erase-output.ts'
import type { Item, OutputItem } from './item.ts'

/**
 * What a person reads, folded from a window of events that may start anywhere. Immutable: a fold gives a new transcript,
 * and items that did not change are the same objects, so that screens repaint only what moved.
 */
export interface Transcript {
  /** Position of the last event that was folded; 0 before the first. */
  seq: number
  items: readonly Item[]
  /** Place of each item by its key. */
  places: ReadonlyMap<string, number>
  /** When the running turn started, for the line at its end. */
  turnStartedAt?: string | undefined
  /** All up to this position is erased: there is nothing to read before it. Absent where nothing of it is. */
  erasedUpTo?: number | undefined
}

/** Before the first event. */
export const emptyTranscript: Transcript = { seq: 0, items: [], places: new Map() }

/** Goes on with the next events, in order. Events that were folded already are passed over. */
export function foldTranscript(transcript: Transcript, events: readonly Envelope[]): Transcript {
  const work = openWork(transcript)
  for (const event of events) {
    if (event.seq <= work.seq) continue
    work.seq = event.seq
    apply(work, event)
  }
  return closeWork(work)
}

/**
 * Later events about subjects that are in the window, so that what an old window shows is true now. Subjects that are not
 * there are passed over, and the position stays: the events in between were not folded.
 */
export function applyLater(transcript: Transcript, later: readonly Envelope[]): Transcript {
  const work = openWork(transcript)
  for (const event of later) change(work, event)
  return closeWork(work)
}

/** An older window in front of a newer one that follows it without a gap. Items of both keep the newer text and outcome. */
export function joinTranscripts(older: Transcript, newer: Transcript): Transcript {
  if (newer.erasedUpTo !== undefined) return newer
  const items = [...older.items]
  const places = new Map(older.places)
  for (const item of newer.items) {
    const place = places.get(item.key)
    const before = place === undefined ? undefined : items[place]
    if (place !== undefined && before) {
      // A message cut by the border: the newer side has all of it once it is complete, the older side its beginning (and,
      // by its later events, what came since).
      const whole = item.kind === 'message' && !item.streaming && item.isBrokenOff !== true
      items[place] = whole ? { ...item, seq: before.seq, at: before.at } : before
    } else {
      places.set(item.key, items.length)
      items.push(item)
    }
  }
  return { seq: newer.seq, items, places, turnStartedAt: newer.turnStartedAt, erasedUpTo: older.erasedUpTo }
}

interface Work {
  seq: number
  items: Item[]
  places: Map<string, number>
  turnStartedAt: string | undefined
  erasedUpTo: number | undefined
}

function openWork(transcript: Transcript): Work {
  return {
    seq: transcript.seq,
    items: [...transcript.items],
    places: new Map(transcript.places),
    turnStartedAt: transcript.turnStartedAt,
    erasedUpTo: transcript.erasedUpTo,
  }
}

function closeWork(work: Work): Transcript {
  return work
}

function apply(work: Work, event: Envelope): void {
  if (change(work, event)) return
  const known = asKnown(event)
  if (!known) return
  if (known.type === 'content.erased' && known.data.subject === undefined) {
    if (known.data.kind === undefined) eraseAll(work, known.data.upTo)
    else eraseOutput(work)
  }
  // What was erased is told of once, where it is said that it was.
  if (known.type === 'output.appended' && known.body === undefined) return
  if (known.type === 'turn.started') work.turnStartedAt = known.at
  if (known.type === 'output.appended' && joinOutput(work, known.data.source, known.body?.text, known.data.bytes))
    return
  const item = begin(known, work.turnStartedAt)
  if (!item) return
  work.places.set(item.key, work.items.length)
  work.items.push(item)
}

/** Whoever read it before may still hold its words: nothing stays of what was shown. */
function eraseAll(work: Work, upTo: number): void {
  work.items = []
  work.places.clear()
  work.turnStartedAt = undefined
  work.erasedUpTo = upTo
}

function eraseOutput(work: Work): void {
  work.items = withoutOutput(work.items)
  work.places = new Map(work.items.map(({ key }, place) => [key, place]))
}

/** Changes the item that the event is about; false where there is none. */
function change(work: Work, event: Envelope): boolean {
  const place = event.subject === undefined ? undefined : work.places.get(event.subject)
  const item = place === undefined ? undefined : work.items[place]
  const known = asKnown(event)
  if (place === undefined || !item || !known) return false
  work.items[place] = amend(item, known)
  return true
}

/** Output that directly follows output of the same source grows that block, up to 64 chunks, so that a screen stays quick. */
function joinOutput(work: Work, source: OutputItem['source'], text: string | undefined, bytes: number): boolean {
  const last = work.items.at(-1)
  if (last?.kind !== 'output' || last.source !== source || last.encoding !== 'utf8' || last.chunks.length >= 64)
    return false
  work.items[work.items.length - 1] = {
    ...last,
    chunks: [...last.chunks, text ?? ''],
    bytes: last.bytes + bytes,
  }
  return true
}
