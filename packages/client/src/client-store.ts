import type { ListStore } from './kept-list.ts'
import type { KeptSessions } from './kept-sessions.ts'
import type { Outbox } from './outbox.ts'

/** What outlives a visit, for one account on one server: a browser has it in IndexedDB, Node in a folder. */
export interface ClientStore {
  outbox: Outbox
  sessions: KeptSessions
  list: ListStore
  /** For whoever signs out: nothing is left, and whatever still runs keeps nothing more. */
  erase(): Promise<void>
}
