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
      `CREATE TABLE sessions (
        session TEXT PRIMARY KEY NOT NULL,
        project TEXT NOT NULL,
        task TEXT,
        agent TEXT NOT NULL,
        runner TEXT,
        title TEXT NOT NULL,
        status TEXT NOT NULL,
        turn TEXT NOT NULL,
        open_approvals TEXT NOT NULL,
        open_questions TEXT NOT NULL,
        needs INTEGER NOT NULL,
        stale_since TEXT,
        since TEXT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
      ) STRICT`,
      `CREATE INDEX sessions_by_project ON sessions (project, updated_at, session)`,
      `CREATE INDEX sessions_in_need ON sessions (project, updated_at, session) WHERE needs > 0`,
      `CREATE INDEX sessions_by_status ON sessions (status, created_at)`,
      `CREATE INDEX sessions_by_runner ON sessions (runner, status)`,
      `CREATE TABLE projects (project TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, created_at TEXT NOT NULL) STRICT`,
      `CREATE TABLE members (
        project TEXT NOT NULL,
        account TEXT NOT NULL,
        role TEXT NOT NULL,
        PRIMARY KEY (project, account)
      ) STRICT`,
      `CREATE INDEX members_by_account ON members (account, project)`,
      `CREATE TABLE tasks (
        task TEXT PRIMARY KEY NOT NULL,
        project TEXT NOT NULL,
        title TEXT NOT NULL,
        column_name TEXT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
      ) STRICT`,
      `CREATE INDEX tasks_by_project ON tasks (project, created_at, task)`,
      `CREATE TABLE approvals (
        approval TEXT NOT NULL,
        session TEXT NOT NULL,
        project TEXT NOT NULL,
        expires_at TEXT NOT NULL,
        requested_at TEXT NOT NULL,
        PRIMARY KEY (approval, session)
      ) STRICT`,
      `CREATE INDEX approvals_by_deadline ON approvals (expires_at, approval)`,
      `CREATE INDEX approvals_by_project ON approvals (project, expires_at, approval)`,
      `CREATE INDEX approvals_by_session ON approvals (session)`,
      `CREATE TABLE accounts (
        account TEXT PRIMARY KEY NOT NULL,
        name TEXT NOT NULL,
        name_key TEXT NOT NULL UNIQUE,
        password TEXT NOT NULL,
        admin INTEGER NOT NULL,
        disabled INTEGER NOT NULL,
        access_version INTEGER NOT NULL,
        created_at TEXT NOT NULL
      ) STRICT`,
      `CREATE TABLE keys (
        "key" TEXT PRIMARY KEY NOT NULL,
        kind TEXT NOT NULL,
        account TEXT,
        name TEXT NOT NULL,
        secret_hash TEXT NOT NULL,
        scopes TEXT NOT NULL,
        projects TEXT,
        created_at TEXT NOT NULL,
        expires_at TEXT NOT NULL,
        idle_expires_at TEXT,
        last_used_at TEXT,
        last_used_from TEXT,
        revoked_at TEXT
      ) STRICT`,
      `CREATE INDEX keys_by_account ON keys (account, created_at)`,
      `CREATE TABLE facts (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT`,
    ],
  },
]
