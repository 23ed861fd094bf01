import { firstLists, resumingColumn } from '../first-lists.ts'
import type { Migration } from '../migrations.ts'

/**
 * `events` is an ordinary rowid table, not WITHOUT ROWID: bodies go up to 256 KiB, and rows of that kind belong on the
 * leaves alone. `streams` is apart from `states`, so that a new head does not rewrite a state that did not change.
 */
export const sqliteMigrations: readonly Migration[] = [
  {
    version: 1,
    statements: [
      `CREATE TABLE streams (
        no INTEGER PRIMARY KEY,
        stream TEXT NOT NULL UNIQUE,
        epoch TEXT NOT NULL,
        head INTEGER NOT NULL,
        hash BLOB NOT NULL,
        generation INTEGER NOT NULL
      ) STRICT`,
      `CREATE TABLE states (no INTEGER PRIMARY KEY, seq INTEGER NOT NULL, state TEXT NOT NULL) STRICT`,
      `CREATE TABLE events (
        no INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        type TEXT NOT NULL,
        subject TEXT,
        header BLOB NOT NULL,
        salt BLOB,
        body BLOB,
        digest BLOB,
        hash BLOB NOT NULL,
        PRIMARY KEY (no, seq)
      ) STRICT`,
      `CREATE INDEX events_by_subject ON events (no, subject, seq) WHERE subject IS NOT NULL`,
      `CREATE TABLE commands (
        no INTEGER NOT NULL,
        principal TEXT NOT NULL,
        id TEXT NOT NULL,
        body_hash TEXT NOT NULL,
        answer TEXT NOT NULL,
        PRIMARY KEY (no, principal, id)
      ) STRICT`,
      ...firstLists('TEXT', 'INTEGER', ' STRICT'),
    ],
  },
  { version: 2, statements: [resumingColumn] },
]
