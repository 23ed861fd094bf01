/** Ceilings of the first waits, in milliseconds; each wait is drawn between nothing and its ceiling (full jitter). */
const ceilingsMs = [1_000, 2_000, 4_000, 8_000, 16_000] as const
/** After the first tries it goes on slowly: about so often, a quarter more or less. */
const slowMs = 30_000
/** Never quicker than this, so that a server that refuses at once is not hammered. */
const leastMs = 50
/** A server cannot send us away for longer than this. */
const toldMaxMs = 10 * 60_000

/** A server on the same machine costs nobody anything to ask, and people want the truth when it is back. */
const nearMaxMs = 1_000

/** How long to wait before the next try. */
export interface Wait {
  waitMs: number
  /** True once the first tries are over: a person may want to press Reconnect. */
  slow: boolean
}

/**
 * How long to wait before try number `attempt` (1 is the first after a loss). `random` gives 0 to 1. What the server told
 * (`retryAfterMs`) goes before; up to half of it is added, so that not everybody comes back at once. No other wait is
 * longer than `maxMs`.
 */
export function waitBefore(
  attempt: number,
  random: () => number,
  retryAfterMs?: number,
  maxMs: number = Number.POSITIVE_INFINITY,
): Wait {
  const ceiling = ceilingsMs[attempt - 1] ?? (maxMs < slowMs ? maxMs : undefined)
  const slow = ceiling === undefined
  if (retryAfterMs !== undefined) {
    const told = Math.min(Math.max(retryAfterMs, leastMs), toldMaxMs)
    return { waitMs: told * (1 + random() / 2), slow }
  }
  if (slow) return { waitMs: slowMs * (0.75 + random() / 2), slow }
  return { waitMs: Math.max(leastMs, Math.min(ceiling, maxMs) * random()), slow }
}

/**
 * For whoever serves people at this address, such as a runner: its longest wait before a try, in milliseconds. Throws a
 * TypeError where it is no address.
 */
export function longestWaitMs(url: string): number {
  const { hostname } = new URL(url)
  const isNear = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname)
  return isNear ? nearMaxMs : Number.POSITIVE_INFINITY
}
