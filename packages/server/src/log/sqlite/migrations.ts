import { attachmentTable } from '../attachment-rows.ts'
import { auditOfOlderEvents, auditOrders, auditTable, typesForgottenAtFirst } from '../audit-index.ts'
import {
  boardColumns,
  deliveryTable,
  secondFactorTable,
  webhookTables,
  firstLists,
  policyModeColumn,
  queueColumns,
  resumingColumn,
  standingColumns,
} from '../first-lists.ts'
import { usageTable } from '../usage-list.ts'
import type { Migration } from '../migrations.ts'
import { seqBits, seqMax } from './event-place.ts'

/** How the audit's index finds what it needs in the header of an event `e`. */
const inHeader = {
  at: `json_extract(CAST(e.header AS TEXT), '$.at')`,
  actor: `json_extract(CAST(e.header AS TEXT), '$.actor.id')`,
}

/**
 * `events` is an ordinary rowid table, not WITHOUT ROWID: bodies go up to 256 KiB, and rows of that kind belong on the
 * leaves alone. Its rowid is the event's place, stream and position in one number (`event-place.ts`), so that it needs no
 * index to be found by; a small commit writes a third fewer pages for that. `streams` is apart from `states`, so that a new head does not rewrite a state that did not change.
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
  {
    version: 3,
    statements: [
      `DROP INDEX events_by_subject`,
      `ALTER TABLE events RENAME TO events_before`,
      `CREATE TABLE events (
        place INTEGER PRIMARY KEY,
        no INTEGER GENERATED ALWAYS AS (place >> ${seqBits}) VIRTUAL,
        seq INTEGER GENERATED ALWAYS AS (place & ${seqMax}) VIRTUAL,
        type TEXT NOT NULL,
        subject TEXT,
        header BLOB NOT NULL,
        salt BLOB,
        body BLOB,
        digest BLOB,
        hash BLOB NOT NULL
      ) STRICT`,
      `INSERT INTO events (place, type, subject, header, salt, body, digest, hash)
        SELECT (no << ${seqBits}) | seq, type, subject, header, salt, body, digest, hash FROM events_before ORDER BY no, seq`,
      `DROP TABLE events_before`,
      `CREATE INDEX events_by_subject ON events (no, subject) WHERE subject IS NOT NULL`,
      `ALTER TABLE commands RENAME TO commands_before`,
      `CREATE TABLE commands (
        no INTEGER NOT NULL,
        principal TEXT NOT NULL,
        id TEXT NOT NULL,
        body_hash TEXT NOT NULL,
        answer TEXT NOT NULL,
        PRIMARY KEY (no, principal, id)
      ) STRICT, WITHOUT ROWID`,
      `INSERT INTO commands SELECT no, principal, id, body_hash, answer FROM commands_before ORDER BY no, principal, id`,
      `DROP TABLE commands_before`,
    ],
  },
  {
    version: 4,
    statements: [
      ...standingColumns('TEXT'),
      `UPDATE sessions SET (reason, exit, ending) = (
        SELECT state ->> '$.reason', state -> '$.exit', state ->> '$.ending'
        FROM states JOIN streams USING (no) WHERE stream = 'session:' || sessions.session AND json_valid(state)
      )`,
    ],
  },
  {
    version: 5,
    // The rows themselves in the order of their key: three trees to write for an approval that opens or closes, not five.
    statements: [
      `ALTER TABLE approvals RENAME TO approvals_before`,
      `CREATE TABLE approvals (
        approval TEXT NOT NULL,
        session TEXT NOT NULL,
        project TEXT NOT NULL,
        expires_at TEXT NOT NULL,
        requested_at TEXT NOT NULL,
        PRIMARY KEY (session, approval)
      ) STRICT, WITHOUT ROWID`,
      `INSERT INTO approvals (approval, session, project, expires_at, requested_at)
        SELECT approval, session, project, expires_at, requested_at FROM approvals_before`,
      `DROP TABLE approvals_before`,
      `CREATE INDEX approvals_by_deadline ON approvals (expires_at, approval)`,
      `CREATE INDEX approvals_by_project ON approvals (project, expires_at, approval)`,
    ],
  },
  // Nothing changes but what states may hold, which an earlier Hotline could not read: see `session/kept-state.ts`.
  { version: 6, statements: [] },
  { version: 7, statements: policyModeColumn('TEXT') },
  {
    version: 8,
    statements: [
      ...auditTable('TEXT', 'INTEGER', ' STRICT, WITHOUT ROWID'),
      auditOfOlderEvents(inHeader),
      ...auditOrders,
    ],
  },
  { version: 9, statements: queueColumns('TEXT') },
  { version: 10, statements: [deliveryTable('TEXT', ' STRICT, WITHOUT ROWID')] },
  { version: 11, statements: [auditOfOlderEvents(inHeader, typesForgottenAtFirst)] },
  { version: 12, statements: boardColumns('TEXT', 'INTEGER') },
  { version: 13, statements: [secondFactorTable('TEXT', ' STRICT, WITHOUT ROWID')] },
  { version: 14, statements: usageTable('TEXT', 'REAL', ' STRICT, WITHOUT ROWID') },
  { version: 15, statements: webhookTables('TEXT', 'INTEGER', ' STRICT, WITHOUT ROWID') },
  { version: 16, statements: attachmentTable('TEXT', ' STRICT, WITHOUT ROWID') },
]
