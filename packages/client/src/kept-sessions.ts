import type { SessionState } from '@hotline/core/session/state'
import type { Envelope } from '@hotline/protocol/event'

/** What `KeptSession` looks like; what has another form is from another version, and not used. */
export const keptForm = 1

/** The end of a session as it was seen last: enough to show it at once, and to go on from there. */
export interface KeptSession {
  form: number
  session: string
  /** Of the last event in `events`, and of `state`. */
  cursor: string
  state: SessionState
  /** The newest window, without a gap up to the cursor. */
  events: readonly Envelope[]
  /** Where the window before it ends; null at the beginning. */
  before: number | null
  /** Milliseconds of the wall clock. */
  keptAt: number
}

/** Where sessions are kept from one visit to the next. What cannot be kept is read anew; so nothing of it ever fails. */
export interface KeptSessions {
  read(session: string): Promise<KeptSession | undefined>
  /** Takes the place of what was kept of the session; of many sessions, those that were kept last stay. */
  keep(kept: KeptSession): Promise<void>
  drop(session: string): Promise<void>
  /** Forgets all, and keeps nothing more in this life of the program. */
  clear(): Promise<void>
}

/** Sessions of which something is kept. */
export const keptSessionsMax = 30
/** Characters of the events of one session, about; of what is longer the newest are kept. */
export const keptCharsMax = 256 * 1024

/** Keeps nothing. */
export const forgetful: KeptSessions = {
  read: () => Promise.resolve(undefined),
  keep: () => Promise.resolve(),
  drop: () => Promise.resolve(),
  clear: () => Promise.resolve(),
}
