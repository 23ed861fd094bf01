import type { Clock } from '@hotline/client/clock'

/** Time that stands until a test moves it. */
export interface HandClock extends Clock {
  /** Moves on, and calls what is due on the way, in order. */
  advance(ms: number): void
  /** Sets the clock of the wall back; what is due later is due as it was. */
  setBack(ms: number): void
  /** Calls that wait. */
  readonly pending: number
}

export function handClock(): HandClock {
  let nowMs = 1_000_000
  let behindMs = 0
  const due = new Set<{ atMs: number; call: () => void }>()
  return {
    wallMs: () => nowMs - behindMs,
    after: (delayMs, call) => {
      const one = { atMs: nowMs + delayMs, call }
      due.add(one)
      return () => due.delete(one)
    },
    advance: (ms) => {
      const until = nowMs + ms
      for (;;) {
        const [next] = [...due].filter(({ atMs }) => atMs <= until).toSorted((a, b) => a.atMs - b.atMs)
        if (!next) break
        due.delete(next)
        nowMs = Math.max(nowMs, next.atMs)
        next.call()
      }
      nowMs = until
    },
    setBack: (ms) => {
      behindMs += ms
    },
    get pending() {
      return due.size
    },
  }
}
