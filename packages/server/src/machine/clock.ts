/** Time as an argument: nothing below `main` asks the machine for it. */
export interface Clock {
  /** Milliseconds since 1970, by the wall; may jump. For what people read and for stored deadlines. */
  wallMs(): number
  /** Milliseconds since some start; never jumps back. For waiting. */
  monotonicMs(): number
  /** Calls `fire` once after `delayMs`; the answer cancels it. */
  after(delayMs: number, fire: () => void): () => void
}

/** The machine's own time. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after: (delayMs, fire) => {
    const timer = setTimeout(fire, delayMs)
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** Calls again and again with a pause in between; the answer ends it. */
export function repeat(clock: Clock, everyMs: number, beat: () => void): () => void {
  let cancel = clock.after(everyMs, tick)
  function tick(): void {
    cancel = clock.after(everyMs, tick)
    beat()
  }
  return () => cancel()
}

/** RFC 3339 in UTC with milliseconds, as everywhere on the wire. */
export function timestamp(clock: Clock): string {
  return new Date(clock.wallMs()).toISOString()
}
