import { type Clock, systemClock } from './clock.ts'
import { forgetfulList, type KeptList, keptListForm, type ListStore } from './kept-list.ts'
import { watchLife } from './tabs/watch-life.ts'

/** Rows that are kept. */
const keptRowsMax = 1_000
/** What came is kept when nothing more has come for a while, or after so long in a flood. */
const keepAfterMs = 1_000
const keepAtLeastEveryMs = 10_000

/** Keeps the list as it changes. Disposing keeps what was not kept yet. */
export interface ListKeeper extends Disposable {
  /** Keeps it before long. */
  soon(): void
}

/** Joins many changes into few writes. `now` gives the list, the newest rows first; undefined while there is none to keep. */
export function openListKeeper(
  store: ListStore,
  now: () => Pick<KeptList, 'sessions' | 'next' | 'cursors'> | undefined,
  clock: Clock = systemClock,
): ListKeeper {
  let sinceMs: number | undefined
  let cancel: (() => void) | undefined

  function keep(): void {
    cancel?.()
    cancel = undefined
    const list = sinceMs === undefined ? undefined : now()
    sinceMs = undefined
    if (!list) return
    const whole = list.sessions.length <= keptRowsMax
    const sessions = list.sessions.slice(0, keptRowsMax)
    void store.keep({ ...list, sessions, whole, form: keptListForm, keptAt: clock.wallMs() })
  }

  // A page that is closed or put away has this moment.
  const leave = watchLife(keep, () => undefined)
  return {
    soon: () => {
      if (store === forgetfulList) return
      sinceMs ??= clock.wallMs()
      cancel?.()
      const leftMs = Math.max(0, sinceMs + keepAtLeastEveryMs - clock.wallMs())
      cancel = clock.after(Math.min(keepAfterMs, leftMs), keep)
    },
    [Symbol.dispose]: () => {
      leave()
      keep()
    },
  }
}
