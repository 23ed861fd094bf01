import type { AccountState } from './state.ts'

/** How far a person has read a session. */
export interface ReadMark {
  project: string
  session: string
  /** The last event of it that they have read. */
  seq: number
  /** How many messages had been said there by then. */
  messages: number
  /** When the session was created; absent in marks from before that was noted. */
  createdAt?: string | undefined
}

/** A place in a session, as it is now. */
export interface ReadPlace {
  project: string
  /** Where the session ends. */
  head: number
  /** Messages up to the place. */
  messages: number
  createdAt: string
}

/** One name for each place. */
export function placeKey(session: string, seq: number): string {
  return `${session}/${seq}`
}

/** What of a session one knows who asks how much of it was read. */
export interface Readable {
  session: string
  createdAt: string
  messages: number
}

/**
 * How many messages of a session came after what was read. One that was never opened counts whole where it began after the
 * person's own stream did: of older ones nobody knows what they have read.
 */
export function unreadIn(
  state: Pick<AccountState, 'read' | 'readSince'>,
  { session, createdAt, messages }: Readable,
): number {
  const mark = state.read?.find((one) => one.session === session)
  if (mark) return Math.max(0, messages - mark.messages)
  return state.readSince !== undefined && createdAt > state.readSince ? messages : 0
}
