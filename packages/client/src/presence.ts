import { type Clock, systemClock } from './clock.ts'
import type { Link, Readable } from './link.ts'
import { watchable } from './readable.ts'

/** Somebody who goes on writing says so again after this at the earliest. */
const sayAgainMs = 3_000

/** Who else is at a session just now, by account. Nothing of it is logged. */
export interface Present {
  typing: readonly string[]
  watching: readonly string[]
}

/** Who else is here, and a way to say that one writes. */
export interface Presence extends Disposable {
  readonly present: Readable<Present>
  /** One writes here: the others are told, not more often than they need. */
  wrote(): void
  /** Somebody's message has come: they do not write it any more. */
  said(account: string): void
}

/** Hears who types and who watches. A person who types is shown until `hideAfterMs` after the last sign of it. */
export function openPresence(
  link: Link,
  session: string,
  { hideAfterMs, clock = systemClock }: { hideAfterMs: number; clock?: Clock },
): Presence {
  const stream = `session:${session}`
  const present = watchable<Present>({ typing: [], watching: [] })
  const hides = new Map<string, () => void>()
  /** Set for as long as it need not be said again. A timer, as the clock of the wall may be set back. */
  let cancelQuiet: (() => void) | undefined
  const tell = (): void => present.set({ ...present.value, typing: [...hides.keys()] })
  const hide = (account: string): void => {
    hides.get(account)?.()
    if (hides.delete(account)) tell()
  }
  const leave = link.ephemeral((frame) => {
    if (frame.stream !== stream) return
    if (frame.kind === 'watching' && frame.people) present.set({ ...present.value, watching: frame.people })
    if (frame.kind !== 'typing' || frame.by === undefined || hideAfterMs <= 0) return
    const { by } = frame
    hides.get(by)?.()
    hides.set(
      by,
      clock.after(hideAfterMs, () => hide(by)),
    )
    tell()
  })
  // Out of contact nobody is known to be here.
  const unwatch = link.connection.watch(({ status }) => {
    if (status === 'open' || (hides.size === 0 && present.value.watching.length === 0)) return
    for (const cancel of hides.values()) cancel()
    hides.clear()
    present.set({ typing: [], watching: [] })
  })
  return {
    present,
    wrote: () => {
      if (cancelQuiet) return
      cancelQuiet = clock.after(sayAgainMs, () => {
        cancelQuiet = undefined
      })
      link.typing(stream)
    },
    said: hide,
    [Symbol.dispose]: () => {
      leave()
      unwatch()
      cancelQuiet?.()
      for (const cancel of hides.values()) cancel()
      hides.clear()
    },
  }
}
