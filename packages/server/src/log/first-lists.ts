/**
 * The lists as version 1 of the schema has them, for both databases: `text` is the type of text that is compared byte by
 * byte, `long` that of a number of 64 bits, `end` closes a table. As part of a migration this is never edited.
 */
export function firstLists(text: string, long: string, end: string): readonly string[] {
  return [
    `CREATE TABLE sessions (
      session ${text} PRIMARY KEY NOT NULL,
      project ${text} NOT NULL,
      task ${text},
      agent ${text} NOT NULL,
      runner ${text},
      title ${text} NOT NULL,
      status ${text} NOT NULL,
      turn ${text} NOT NULL,
      open_approvals ${text} NOT NULL,
      open_questions ${text} NOT NULL,
      needs INTEGER NOT NULL,
      stale_since ${text},
      since ${text} NOT NULL,
      created_at ${text} NOT NULL,
      updated_at ${text} NOT NULL
    )${end}`,
    `CREATE INDEX sessions_by_project ON sessions (project, updated_at, session)`,
    `CREATE INDEX sessions_in_need ON sessions (project, updated_at, session) WHERE needs > 0`,
    `CREATE INDEX sessions_by_status ON sessions (status, created_at)`,
    `CREATE INDEX sessions_by_runner ON sessions (runner, status)`,
    `CREATE TABLE projects (project ${text} PRIMARY KEY NOT NULL, name ${text} NOT NULL, created_at ${text} NOT NULL)${end}`,
    `CREATE TABLE members (
      project ${text} NOT NULL,
      account ${text} NOT NULL,
      role ${text} NOT NULL,
      PRIMARY KEY (project, account)
    )${end}`,
    `CREATE INDEX members_by_account ON members (account, project)`,
    `CREATE TABLE tasks (
      task ${text} PRIMARY KEY NOT NULL,
      project ${text} NOT NULL,
      title ${text} NOT NULL,
      column_name ${text} NOT NULL,
      created_at ${text} NOT NULL,
      updated_at ${text} NOT NULL
    )${end}`,
    `CREATE INDEX tasks_by_project ON tasks (project, created_at, task)`,
    `CREATE TABLE approvals (
      approval ${text} NOT NULL,
      session ${text} NOT NULL,
      project ${text} NOT NULL,
      expires_at ${text} NOT NULL,
      requested_at ${text} NOT NULL,
      PRIMARY KEY (approval, session)
    )${end}`,
    `CREATE INDEX approvals_by_deadline ON approvals (expires_at, approval)`,
    `CREATE INDEX approvals_by_project ON approvals (project, expires_at, approval)`,
    `CREATE INDEX approvals_by_session ON approvals (session)`,
    `CREATE TABLE accounts (
      account ${text} PRIMARY KEY NOT NULL,
      name ${text} NOT NULL,
      name_key ${text} NOT NULL UNIQUE,
      password ${text} NOT NULL,
      admin INTEGER NOT NULL,
      disabled INTEGER NOT NULL,
      access_version ${long} NOT NULL,
      created_at ${text} NOT NULL
    )${end}`,
    `CREATE TABLE keys (
      "key" ${text} PRIMARY KEY NOT NULL,
      kind ${text} NOT NULL,
      account ${text},
      name ${text} NOT NULL,
      secret_hash ${text} NOT NULL,
      scopes ${text} NOT NULL,
      projects ${text},
      created_at ${text} NOT NULL,
      expires_at ${text} NOT NULL,
      idle_expires_at ${text},
      last_used_at ${text},
      last_used_from ${text},
      revoked_at ${text}
    )${end}`,
    `CREATE INDEX keys_by_account ON keys (account, created_at)`,
    `CREATE TABLE facts (name ${text} PRIMARY KEY NOT NULL, value ${text} NOT NULL)${end}`,
  ]
}

/** Version 2, for both databases: which interrupted sessions somebody wants to be taken up again. */
export const resumingColumn = 'ALTER TABLE sessions ADD COLUMN resuming INTEGER NOT NULL DEFAULT 0'

/** Why a session stands as it does; `text` as above. The rows that are there are filled by each database in its own words. */
export function standingColumns(text: string): readonly string[] {
  return ['reason', 'exit', 'ending'].map((column) => `ALTER TABLE sessions ADD COLUMN ${column} ${text}`)
}

/** What is not asked in a session; those with none in it are asked for everything. */
export function policyModeColumn(text: string): readonly string[] {
  return [
    `ALTER TABLE sessions ADD COLUMN policy_mode ${text}`,
    `CREATE INDEX sessions_with_mode ON sessions (created_at, session) WHERE policy_mode IS NOT NULL`,
  ]
}

/** How many approvals of a session wait for their turn, how many answers for its agent, and how old the oldest open one is. */
export function queueColumns(text: string): readonly string[] {
  return [
    `ALTER TABLE sessions ADD COLUMN waiting_approvals INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE sessions ADD COLUMN answers_under_way INTEGER NOT NULL DEFAULT 0`,
    `ALTER TABLE sessions ADD COLUMN oldest_approval_at ${text}`,
    `CREATE INDEX sessions_with_answers ON sessions (project, session) WHERE answers_under_way > 0`,
    `UPDATE sessions SET oldest_approval_at =
      (SELECT min(requested_at) FROM approvals WHERE approvals.session = sessions.session) WHERE needs > 0`,
  ]
}

/** Second factors of people; `text` and `end` as above. */
export function secondFactorTable(text: string, end: string): string {
  return `CREATE TABLE second_factors (
    account ${text} PRIMARY KEY NOT NULL,
    secret ${text} NOT NULL,
    last_step INTEGER NOT NULL,
    recovery ${text} NOT NULL,
    since ${text}
  )${end}`
}

/** How far webhooks have got, and what they gave up; `text`, `long` and `end` as above. */
export function webhookTables(text: string, long: string, end: string): readonly string[] {
  return [
    `CREATE TABLE webhook_cursors (
      webhook ${text} NOT NULL,
      stream ${text} NOT NULL,
      seq ${long} NOT NULL,
      next_seq ${long} NOT NULL,
      tries INTEGER NOT NULL,
      due_at ${text},
      why ${text},
      PRIMARY KEY (webhook, stream)
    )${end}`,
    `CREATE TABLE webhook_letters (
      webhook ${text} NOT NULL,
      stream ${text} NOT NULL,
      seq ${long} NOT NULL,
      tries INTEGER NOT NULL,
      why ${text} NOT NULL,
      PRIMARY KEY (webhook, stream, seq)
    )${end}`,
  ]
}

/** What channels were sent; `text` and `end` as above. */
export function deliveryTable(text: string, end: string): string {
  return `CREATE TABLE deliveries (
    channel ${text} NOT NULL,
    session ${text} NOT NULL,
    approval ${text} NOT NULL,
    state ${text} NOT NULL,
    PRIMARY KEY (channel, session, approval)
  )${end}`
}

/** What cards hold beside title and column, and which sessions their cards have not been told of; `text`, `long` as above. */
export function boardColumns(text: string, long: string): readonly string[] {
  return [
    `ALTER TABLE tasks ADD COLUMN position ${text} NOT NULL DEFAULT 'a0'`,
    `ALTER TABLE tasks ADD COLUMN priority ${text} NOT NULL DEFAULT 'normal'`,
    `ALTER TABLE tasks ADD COLUMN labels ${text} NOT NULL DEFAULT '[]'`,
    `ALTER TABLE tasks ADD COLUMN assignee ${text}`,
    `ALTER TABLE tasks ADD COLUMN sessions ${text} NOT NULL DEFAULT '[]'`,
    `DROP INDEX tasks_by_project`,
    `CREATE INDEX tasks_by_place ON tasks (project, column_name, position, task)`,
    `ALTER TABLE sessions ADD COLUMN untold ${long} NOT NULL DEFAULT 0`,
    `CREATE INDEX sessions_by_task ON sessions (task, created_at, session) WHERE task IS NOT NULL`,
    `CREATE INDEX sessions_untold ON sessions (session) WHERE untold > 0`,
  ]
}
