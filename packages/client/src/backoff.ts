/** The waits of the first tries, in milliseconds; each is drawn between nothing and this (full jitter). */
const firstWaitsMs = [1_000, 2_000, 4_000, 8_000, 16_000] as const
/** After them it goes on slowly. */
const slowWaitMs = 30_000

export interface Wait {
  waitMs: number
  /** True once the first tries are over: a person may want to press Reconnect. */
  slow: boolean
}

/** How long to wait before try number `attempt` (1 is the first after a loss). `random` gives 0 to 1. */
export function waitBefore(attempt: number, random: () => number): Wait {
  const ceiling = firstWaitsMs[attempt - 1]
  if (ceiling === undefined) return { waitMs: slowWaitMs * (0.75 + random() * 0.5), slow: true }
  return { waitMs: Math.max(50, ceiling * random()), slow: false }
}
