import { StoreUnavailable } from '../store-unavailable.ts'

/**
 * `constraint`: a row exists already. `unavailable`: refused cleanly, the connection goes on (disk full, busy).
 * `readonly`: refused cleanly, by a connection that will never write again, for SQLite opens a file for reading where it cannot
 * write; it is given up too. `suspect`: what reached the disk is unknown, so the connection is given up and its caches with it. `damaged`: the file is
 * not what it should be, and is not opened again. `bug`: everything else.
 */
export type SqliteTrouble = 'constraint' | 'unavailable' | 'readonly' | 'suspect' | 'damaged' | 'bug'

/** Sorts an error of node:sqlite (or a failpoint's) by SQLite's result code; a file that cannot be opened wrote nothing. */
export function sqliteTrouble(error: unknown): SqliteTrouble {
  if (error instanceof StoreUnavailable) return 'unavailable'
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0
  switch (code) {
    case 19: // SQLITE_CONSTRAINT
      return 'constraint'
    case 3: // SQLITE_PERM
    case 5: // SQLITE_BUSY
    case 6: // SQLITE_LOCKED
    case 7: // SQLITE_NOMEM
    case 13: // SQLITE_FULL
      return 'unavailable'
    case 8: // SQLITE_READONLY
      return 'readonly'
    case 10: // SQLITE_IOERR
    case 14: // SQLITE_CANTOPEN
    case 15: // SQLITE_PROTOCOL
      return 'suspect'
    case 11: // SQLITE_CORRUPT
    case 26: // SQLITE_NOTADB
      return 'damaged'
    default:
      return 'bug'
  }
}
