import type { SessionState } from '@hotline/core/session/state'
import type { Envelope } from '@hotline/protocol/event'
import { erasedAt } from './erased-at.ts'
import type { Clock } from './clock.ts'
import { forgetful, keptCharsMax, keptForm, type KeptSession, type KeptSessions } from './kept-sessions.ts'
import { watchLife } from './tabs/watch-life.ts'

/** What came is kept when nothing more has come for a while, or after so long in a flood. */
const keepAfterMs = 1_000
const keepAtLeastEveryMs = 10_000
/** Events of one session that are kept: a window. */
const keptEvents = 200

type Kept = Pick<KeptSession, 'cursor' | 'state' | 'events' | 'before'>

/** Keeps the end of one session as it grows, for the next visit. */
export interface SessionKeeper extends Disposable {
  /** Everything anew: a window and the state after it. */
  begin(kept: Kept): void
  /** Events that were folded; `cursor` is that of the last one. */
  came(events: readonly Envelope[], state: SessionState | undefined, cursor: string | undefined): void
  /** Keeps it before long. */
  soon(): void
  /** Keeps nothing of it any more. */
  drop(): void
}

const nothing = (): void => undefined
const keepsNothing: SessionKeeper = {
  begin: nothing,
  came: nothing,
  soon: nothing,
  drop: nothing,
  [Symbol.dispose]: nothing,
}

/** Nothing from before it was erased. Where that was its output alone, the rest is read anew when it is wanted. */
function sinceErased(whole: Kept): Kept {
  const at = erasedAt(whole.events)
  const since = whole.events[at]
  if (!since) return whole
  return { ...whole, events: whole.events.slice(at), before: since.data['kind'] === undefined ? null : since.seq }
}

/** Joins many changes into few writes. Disposing keeps what was not kept yet. */
export function openSessionKeeper(kept: KeptSessions, session: string, clock: Clock): SessionKeeper {
  if (kept === forgetful) return keepsNothing
  let present: Kept | undefined
  let sizes: number[] = []
  let size = 0
  let dirty = false
  let sinceMs = 0
  let first = true
  let cancel: (() => void) | undefined

  function measure(events: readonly Envelope[]): void {
    for (const event of events) {
      const chars = JSON.stringify(event).length
      sizes.push(chars)
      size += chars
    }
  }

  /** The newest that fit. */
  function trim(whole: Kept): Kept {
    let oldest = 0
    while (sizes.length - oldest > keptEvents || (size > keptCharsMax && oldest < sizes.length)) {
      size -= sizes[oldest] ?? 0
      oldest += 1
    }
    sizes = sizes.slice(oldest)
    const events = whole.events.slice(oldest)
    const next = Number(whole.cursor.split('.')[1]) + 1
    return { ...whole, events, before: oldest === 0 ? whole.before : (events[0]?.seq ?? next) }
  }

  function keep(): void {
    cancel?.()
    cancel = undefined
    if (!present || !dirty) return
    dirty = false
    void kept.keep({ ...present, form: keptForm, session, keptAt: clock.wallMs() })
  }

  function keepSoon(): void {
    if (!dirty) {
      dirty = true
      sinceMs = clock.wallMs()
    }
    cancel?.()
    const leftMs = Math.max(0, sinceMs + keepAtLeastEveryMs - clock.wallMs())
    cancel = clock.after(Math.min(keepAfterMs, leftMs), keep)
  }

  // A page that is closed or put away has this moment.
  const leave = watchLife(keep, () => undefined)
  return {
    begin: (whole) => {
      sizes = []
      size = 0
      const since = sinceErased(whole)
      measure(since.events)
      present = trim(since)
    },
    came: (events, state, cursor) => {
      if (!present || !state || cursor === undefined) return
      if (erasedAt(events) >= 0) {
        sizes = []
        size = 0
        const since = sinceErased({ ...present, cursor, state, events })
        measure(since.events)
        present = trim(since)
        dirty = true
        // What was kept before goes now: the page may be closed in a moment.
        return keep()
      }
      measure(events)
      present = trim({ ...present, cursor, state, events: [...present.events, ...events] })
      keepSoon()
    },
    soon: () => {
      if (!first) return keepSoon()
      // What was just opened may be left again at once.
      first = false
      dirty = true
      keep()
    },
    drop: () => {
      cancel?.()
      present = undefined
      void kept.drop(session)
    },
    [Symbol.dispose]: () => {
      leave()
      keep()
    },
  }
}
