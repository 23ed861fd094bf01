/**
 * What crosses connections, as plain numbers: with a thousand followers of one stream anything dearer would be felt. The
 * metrics read it when they are asked.
 */
export interface Traffic {
  framesReceived: number
  framesSent: number
  bytesSent: number
  /** Follows by where they began. */
  follows: Record<'start' | 'now' | 'cursor', number>
}

/** Nothing has passed yet. */
export function newTraffic(): Traffic {
  return { framesReceived: 0, framesSent: 0, bytesSent: 0, follows: { start: 0, now: 0, cursor: 0 } }
}
