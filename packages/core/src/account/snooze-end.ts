/** Before its time is over there is at least so much left to answer in. */
const roomMs = 10 * 60_000
/** Where less is left, it is not put aside any more. */
const leastLeftMs = 2 * 60_000

/**
 * When an ask comes back that somebody wants to put aside, in wall milliseconds: when they want it, and at the latest ten
 * minutes before its time ends (`endsMs`; undefined: it has all the time), or in the middle of the time that is left where
 * that is less than twenty. `too late`: it ends so soon that there is nothing to put off.
 */
export function snoozeEndMs(wantedMs: number, nowMs: number, endsMs: number | undefined): number | 'too late' {
  if (endsMs === undefined) return wantedMs
  const leftMs = endsMs - nowMs
  if (leftMs < leastLeftMs) return 'too late'
  return Math.min(wantedMs, endsMs - Math.min(roomMs, Math.floor(leftMs / 2)))
}
