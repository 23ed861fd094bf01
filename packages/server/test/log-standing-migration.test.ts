import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { openTempDir } from '@hotline/testing/temp-dir'
import { openTestPostgres } from '@hotline/testing/test-postgres'
import { Client } from 'pg'
import { afterAll, expect, test } from 'vitest'
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

/** Text that looks like members, and what PostgreSQL takes for no text. */
const title = '","reason":"requested","exit":{"code":1} \u0000'
const states: Readonly<Record<string, object>> = {
  failed: { title, status: 'failed', reason: 'agent_exited', exit: { code: 3, signal: null } },
  killed: { title, status: 'interrupted', reason: 'agent_lost', exit: { code: null, signal: 'SIGKILL' } },
  ending: { title, status: 'active', reason: 'agent_ready', ending: 'aborted' },
  queued: { title, status: 'queued' },
}
const time = '2026-01-01T00:00:00.000Z'

/** The statements that make these sessions, in the words of both databases; `blob`: how a hash is written. */
function rows(blob: string): string[] {
  return Object.entries(states).flatMap(([session, state], index) => {
    const json = JSON.stringify(state).replaceAll("'", "''")
    return [
      `INSERT INTO streams (stream, epoch, head, hash, generation) VALUES ('session:${session}', 'e', 1, ${blob}, 0)`,
      `INSERT INTO states (no, seq, state) VALUES (${index + 1}, 1, '${json}')`,
      `INSERT INTO sessions (session, project, agent, title, status, turn, open_approvals, open_questions, needs, since,
        created_at, updated_at, resuming)
        VALUES ('${session}', 'p', 'demo', 'T', 'x', 'idle', '[]', '[]', 0, '${time}', '${time}', '${time}', 0)`,
    ]
  })
}

async function standings(place: DatabasePlace): Promise<unknown> {
  await using database = await openDatabase(place, { clock: systemClock, ids: systemIds(() => 0) })
  const all = Object.keys(states).map((session) => database.lists.session(session))
  return (await Promise.all(all)).map((row) => [
    row?.session,
    row?.reason,
    row?.exit === null ? null : (JSON.parse(row?.exit ?? '') as unknown),
    row?.ending,
  ])
}

const expected = [
  ['failed', 'agent_exited', { code: 3, signal: null }, null],
  ['killed', 'agent_lost', { code: null, signal: 'SIGKILL' }, null],
  ['ending', 'agent_ready', null, 'aborted'],
  ['queued', null, null, null],
]

test('[L40] [L14] sessions of an older schema get the reason that their states hold, in SQLite', async () => {
  await using dir = await openTempDir('hotline-schema-')
  const place = { kind: 'sqlite', dir: join(dir.path, 'a') } as const
  mkdirSync(place.dir)
  const path = join(place.dir, 'hotline.db')
  new SqliteFile({ path, migrations: sqliteMigrations.slice(0, 3), failpoints: noFailpoints })[Symbol.dispose]()
  const old = new DatabaseSync(path)
  for (const statement of rows("x'00'")) old.exec(statement)
  old.close()
  expect(await standings(place)).toEqual(expected)
})

test('[L40] [L14] sessions of an older schema get the reason that their states hold, in PostgreSQL', async () => {
  const url = await postgres.createDatabase()
  const pool = openPool(url)
  await migratePostgres(pool, postgresMigrations.slice(0, 2), noFailpoints)
  await pool.end()
  const client = new Client({ connectionString: url })
  await client.connect()
  for (const statement of rows("'\\x00'::bytea")) await client.query(statement)
  await client.end()
  expect(await standings({ kind: 'postgres', url })).toEqual(expected)
})
