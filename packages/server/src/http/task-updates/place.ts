/** Where a message stands: in the life of the stream, after its event, as so many-th of what that event made. */
export interface Place {
  epoch: string
  seq: number
  index: number
}

/** What is told of a state comes after all that its last event made. */
export const stateMessages = 1_000
/** Where a task stands in the queue is not in the log: it comes after that. */
export const queueMessages = 1_000_000

export function formatPlace({ epoch, seq, index }: Place): string {
  return `${epoch}.${seq}.${index}`
}

/** Reads what `formatPlace` wrote; undefined for anything else. */
export function parsePlace(text: string): Place | undefined {
  const match = /^([a-z0-9]{8})\.(0|[1-9][0-9]{0,14})\.(0|[1-9][0-9]{0,8})$/.exec(text)
  return match?.[1] === undefined ? undefined : { epoch: match[1], seq: Number(match[2]), index: Number(match[3]) }
}
