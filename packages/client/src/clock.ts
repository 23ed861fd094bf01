/** Time as the link needs it; tests bring their own. */
export interface Clock {
  /** Milliseconds of the wall clock. */
  wallMs(): number
  /** Calls once after so many milliseconds; the answer prevents it. */
  after(delayMs: number, call: () => void): () => void
}

/** The machine's own time. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  after: (delayMs, call) => {
    const timer = setTimeout(call, delayMs)
    return () => clearTimeout(timer)
  },
}
