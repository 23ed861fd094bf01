import type { Clock } from '@hotline/server/machine/clock'

/** Time that stands until a test moves it, so that a minute takes no minute and a slow machine loses none. */
export interface HandClock extends Clock {
  /** Moves on, and calls what is due on the way, in order. */
  advance(ms: number): void
  /** Sets the clock of the wall back; what is due later is due as it was. */
  setBack(ms: number): void
  /** Calls that wait. */
  readonly pending: number
}

/** The wall begins at the machine's own time. */
export function handClock(): HandClock {
  let wallAtZeroMs = Date.now()
  let nowMs = 0
  const due = new Set<{ atMs: number; fire: () => void }>()
  return {
    wallMs: () => wallAtZeroMs + nowMs,
    monotonicMs: () => nowMs,
    after: (delayMs, fire) => {
      const one = { atMs: nowMs + delayMs, fire }
      due.add(one)
      return () => due.delete(one)
    },
    advance: (ms) => {
      const untilMs = nowMs + ms
      for (;;) {
        const [next] = [...due].filter(({ atMs }) => atMs <= untilMs).toSorted((one, other) => one.atMs - other.atMs)
        if (!next) break
        due.delete(next)
        nowMs = Math.max(nowMs, next.atMs)
        next.fire()
      }
      nowMs = untilMs
    },
    setBack: (ms) => {
      wallAtZeroMs -= ms
    },
    get pending() {
      return due.size
    },
  }
}
