import type { Clock } from '@hotline/server/machine/clock'

/** Time that stands until a test moves it, so that a minute takes no minute and a slow machine loses none. */
export interface HandClock extends Clock {
  /** Moves on, and calls what is due on the way, in order. */
  advance(ms: number): void
}

export function handClock(): HandClock {
  const startedAtMs = Date.now()
  let nowMs = 0
  const due = new Set<{ atMs: number; fire: () => void }>()
  return {
    wallMs: () => startedAtMs + nowMs,
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
  }
}
