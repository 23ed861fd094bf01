import type { TaskColumn } from '@hotline/protocol/task'

/** What the rules of a card ask of the board it is on. */
export interface Board {
  /**
   * The place in a column after one of its cards, before all of them (null), or after all of them (undefined). Undefined where
   * the card named is not in that column.
   */
  placeFor: (column: TaskColumn, after: string | null | undefined) => string | undefined
  /** Whether the account is a member of the project. */
  isMember: (account: string) => boolean
}
