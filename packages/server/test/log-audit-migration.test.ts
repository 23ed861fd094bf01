import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openTempDir } from '@hotline/testing/temp-dir'
import { openTestPostgres } from '@hotline/testing/test-postgres'
import { Client } from 'pg'
import { afterAll, expect, test } from 'vitest'
import { auditedTypes } from '@hotline/protocol/audit'
import { noFailpoints } from '../src/log/failpoints.ts'
import { type DatabasePlace, openDatabase } from '../src/log/open-database.ts'
import { postgresMigrations } from '../src/log/postgres/migrations.ts'
import { migratePostgres, openPool } from '../src/log/postgres/postgres-pool.ts'
import { sqliteMigrations } from '../src/log/sqlite/migrations.ts'
import { SqliteFile } from '../src/log/sqlite/sqlite-file.ts'
import { systemClock } from '../src/machine/clock.ts'
import { systemIds } from '../src/machine/ids.ts'

const postgres = await openTestPostgres()
afterAll(() => postgres.stop())

const day = '2026-01-01T00:00:00.000Z'
/** What looks like members of the header, where people choose the words; and what PostgreSQL takes for no text. */
const subject = 'x","at":"1999","actor":{"kind":"person","id":"mallory"} \u0000'
const streams = ['session:s1', 'project:p2', 'task:t3', 'server:main']
const events = [
  { stream: 'session:s1', type: 'session.created', id: 'ada' },
  { stream: 'session:s1', type: 'output.appended', id: 's1' },
  { stream: 'session:s1', type: 'approval.resolved', id: 'bob', subject },
  { stream: 'project:p2', type: 'member.added', id: 'ada' },
  { stream: 'server:main', type: 'account.signed_in', id: 'eve' },
  // Of no kind of ours, but the log takes what is sent.
  { stream: 'server:main', type: 'key.revoked', id: 'od"d' },
  // Of those which the index did not have at first.
  { stream: 'session:s1', type: 'approval.refused', id: 's1' },
  { stream: 'project:p2', type: 'policy.timeout_set', id: 'ada' },
]

const places = events.map(({ stream }, at) => ({
  no: streams.indexOf(stream) + 1,
  seq: events.slice(0, at + 1).filter((one) => one.stream === stream).length,
}))

function headerOf(at: number): string {
  const { stream, type, id, subject: about } = events[at] ?? { stream: '', type: '', id: '' }
  const actor = { kind: 'person', id }
  return JSON.stringify({ v: 1, stream, seq: places[at]?.seq, at: day, type, subject: about, actor, data: {} })
}

/** Sessions and streams, in the words of both databases; `blob`: how a hash is written. */
function lists(blob: string): string[] {
  return [
    ...streams.map(
      (stream) =>
        `INSERT INTO streams (stream, epoch, head, hash, generation) VALUES ('${stream}', 'e', 3, ${blob}, 0)`,
    ),
    `INSERT INTO sessions (session, project, agent, title, status, turn, open_approvals, open_questions, needs, since,
      created_at, updated_at, resuming)
      VALUES ('s1', 'p1', 'demo', 'T', 'queued', 'idle', '[]', '[]', 0, '${day}', '${day}', '${day}', 0)`,
  ]
}

async function audit(place: DatabasePlace): Promise<unknown> {
  await using database = await openDatabase(place, { clock: systemClock, ids: systemIds(() => 0) })
  const rows = await database.lists.audit({ projects: 'all', limit: 100 })
  return rows.map(({ stream, seq, at, type, actor, project, address }) =>
    [stream, seq, at, type, actor, project, address].join(' '),
  )
}

const forgotten = [`session:s1 4 ${day} approval.refused s1 p1 `, `project:p2 2 ${day} policy.timeout_set ada p2 `]

const expected = (odd: string): string[] => [
  `session:s1 4 ${day} approval.refused s1 p1 `,
  `session:s1 3 ${day} approval.resolved bob p1 `,
  `session:s1 1 ${day} session.created ada p1 `,
  `server:main 2 ${day} key.revoked ${odd}  `,
  `server:main 1 ${day} account.signed_in eve  `,
  `project:p2 2 ${day} policy.timeout_set ada p2 `,
  `project:p2 1 ${day} member.added ada p2 `,
]

/** What the audit has of these events, where the log was written with the first so many steps. */
async function auditInSqlite(steps: number): Promise<unknown> {
  await using dir = await openTempDir('hotline-schema-')
  const place = { kind: 'sqlite', dir: join(dir.path, 'a') } as const
  mkdirSync(place.dir)
  const path = join(place.dir, 'hotline.db')
  new SqliteFile({ path, migrations: sqliteMigrations.slice(0, steps), failpoints: noFailpoints })[Symbol.dispose]()
  const old = new DatabaseSync(path)
  for (const statement of lists("x'00'")) old.exec(statement)
  const insert = old.prepare("INSERT INTO events (place, type, header, hash) VALUES (? << 34 | ?, ?, ?, x'00')")
  for (const [at, { type }] of events.entries()) {
    insert.run(places[at]?.no ?? 0, places[at]?.seq ?? 0, type, Buffer.from(headerOf(at)))
  }
  old.close()
  return audit(place)
}

async function auditInPostgres(steps: number): Promise<unknown> {
  const url = await postgres.createDatabase()
  const pool = openPool(url)
  await migratePostgres(pool, postgresMigrations.slice(0, steps), noFailpoints)
  await pool.end()
  const client = new Client({ connectionString: url })
  await client.connect()
  for (const statement of lists("'\\x00'::bytea")) await client.query(statement)
  for (const [at, { type }] of events.entries()) {
    const values = [places[at]?.no, places[at]?.seq, type, Buffer.from(headerOf(at))]
    await client.query(
      "INSERT INTO events (no, seq, type, header, hash) VALUES ($1, $2, $3, $4, '\\x00'::bytea)",
      values,
    )
  }
  await client.end()
  return audit({ kind: 'postgres', url })
}

test('[AU3] a log of an earlier schema has its audit after the first start, in SQLite', async () => {
  expect(await auditInSqlite(7)).toEqual(expected('od"d'))
})

test('[AU3] a log of an earlier schema has its audit after the first start, in PostgreSQL', async () => {
  // An id that is no id of ours is not read there.
  expect(await auditInPostgres(5)).toEqual(expected(''))
})

test('[AU3] what the index did not list at first is found in the log, and the rest is not found twice', async () => {
  expect(await auditInSqlite(10)).toEqual(forgotten)
  expect(await auditInPostgres(8)).toEqual(forgotten)
})

/** No log holds one that its index does not list. */
const listedFromBirth: ReadonlySet<string> = new Set([
  'head_key.replaced',
  'approval.recalled',
  'policy.rule_moved',
  'account.second_factor_added',
  'account.second_factor_removed',
  'account.recovery_code_used',
  'webhook.added',
  'webhook.changed',
  'webhook.removed',
  'webhook.rotated',
  'webhook.disabled',
])

test('[AU3] every type that the audit lists is found in older logs by some step of the schema', () => {
  for (const migrations of [sqliteMigrations, postgresMigrations]) {
    const statements = migrations.flatMap((migration) => migration.statements).join('\n')
    const older = Object.keys(auditedTypes).filter((type) => !listedFromBirth.has(type))
    for (const type of older) expect(statements).toContain(`'${type}'`)
  }
})
