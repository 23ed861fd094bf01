import type { SessionRow } from '@hotline/protocol/http'

/** What `KeptList` looks like; what has another form is from another version, and not used. */
export const keptListForm = 2

/** The list of sessions as it was seen last. */
export interface KeptList {
  form: number
  sessions: readonly SessionRow[]
  /** Where the page after them begins; null where there is none. */
  next: string | null
  /** Up to where each project's stream is in the rows. */
  cursors: Readonly<Record<string, string>>
  /** False where there were more rows than are kept: it can be shown, and not be gone on from. */
  whole: boolean
  /** Milliseconds of the wall clock. */
  keptAt: number
}

/** Where the list is kept from one visit to the next. What cannot be kept is read anew; so nothing of it ever fails. */
export interface ListStore {
  read(): Promise<KeptList | undefined>
  /** Takes the place of what was kept before; undefined forgets it. */
  keep(kept: KeptList | undefined): Promise<void>
  /** Forgets it, and keeps nothing more in this life of the program. */
  clear(): Promise<void>
}

/** Keeps no list. */
export const forgetfulList: ListStore = {
  read: () => Promise.resolve(undefined),
  keep: () => Promise.resolve(),
  clear: () => Promise.resolve(),
}
