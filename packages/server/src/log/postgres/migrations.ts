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

/** Compared byte by byte, as SQLite does it, so that lists have the same order everywhere. */
const text = 'TEXT COLLATE "C"'

/**
 * How the audit's index finds what it needs in the header of an event `e`. Read as text, since PostgreSQL refuses all of a JSON
 * where any text of it holds U+0000: no quote inside of text looks like the beginning of a member.
 */
const inHeader = {
  at: `substring(convert_from(e.header, 'UTF8') FROM '"at":"([^"]+)"')`,
  actor: `substring(convert_from(e.header, 'UTF8') FROM '"actor":[{]"kind":"[a-z]+","id":"([^"\\\\]*)"')`,
}

/** The steps of the schema, oldest first. What was released never changes. */
export const postgresMigrations: readonly Migration[] = [
  {
    version: 1,
    statements: [
      `CREATE TABLE streams (
        no BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        stream ${text} NOT NULL UNIQUE,
        epoch ${text} NOT NULL,
        head BIGINT NOT NULL,
        hash BYTEA NOT NULL,
        generation BIGINT NOT NULL
      ) WITH (fillfactor = 50)`,
      `CREATE TABLE states (no BIGINT PRIMARY KEY, seq BIGINT NOT NULL, state TEXT NOT NULL)`,
      `CREATE TABLE events (
        no BIGINT NOT NULL,
        seq BIGINT NOT NULL,
        type ${text} NOT NULL,
        subject ${text},
        header BYTEA NOT NULL,
        salt BYTEA,
        body BYTEA,
        digest BYTEA,
        hash BYTEA NOT NULL,
        PRIMARY KEY (no, seq)
      )`,
      `CREATE INDEX events_by_subject ON events (no, subject, seq) WHERE subject IS NOT NULL`,
      `CREATE TABLE commands (
        no BIGINT NOT NULL,
        principal ${text} NOT NULL,
        id ${text} NOT NULL,
        body_hash ${text} NOT NULL,
        answer TEXT NOT NULL,
        PRIMARY KEY (no, principal, id)
      )`,
      ...firstLists(text, 'BIGINT', ''),
    ],
  },
  { version: 2, statements: [resumingColumn] },
  {
    version: 3,
    statements: [
      ...standingColumns(text),
      // Read as text: PostgreSQL refuses all of a JSON where any text of it holds U+0000. Inside of text every quote has a
      // backslash before it, so that none of it looks like a member.
      `UPDATE sessions SET
        reason = substring(state FROM '"reason":"([a-z_]+)"'),
        exit = substring(state FROM '"exit":([{][^{}]*[}])'),
        ending = substring(state FROM '"ending":"([a-z_]+)"')
      FROM states JOIN streams USING (no) WHERE stream = 'session:' || sessions.session`,
    ],
  },
  // Nothing changes but what states may hold, which an earlier Hotline could not read: see `session/kept-state.ts`.
  { version: 4, statements: [] },
  { version: 5, statements: policyModeColumn(text) },
  {
    version: 6,
    statements: [...auditTable(text, 'BIGINT', ''), auditOfOlderEvents(inHeader), ...auditOrders],
  },
  { version: 7, statements: queueColumns(text) },
  { version: 8, statements: [deliveryTable(text, '')] },
  { version: 9, statements: [auditOfOlderEvents(inHeader, typesForgottenAtFirst)] },
  { version: 10, statements: boardColumns(text, 'BIGINT') },
  { version: 11, statements: [secondFactorTable(text, '')] },
  { version: 12, statements: usageTable(text, 'DOUBLE PRECISION', '') },
  { version: 13, statements: webhookTables(text, 'BIGINT', '') },
  { version: 14, statements: attachmentTable(text, '') },
]
