import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { exitCodes } from '@hotline/protocol/error'
import { noFailpoints } from '@hotline/server/log/failpoints'
import { postgresMigrations } from '@hotline/server/log/postgres/migrations'
import { migratePostgres, openPool } from '@hotline/server/log/postgres/postgres-pool'
import { sqliteMigrations } from '@hotline/server/log/sqlite/migrations'
import { lockDirectory } from '@hotline/server/log/sqlite/owner-lock'
import { SqliteFile, versionOf } from '@hotline/server/log/sqlite/sqlite-file'
import { openTempDir, type TempDir } from '@hotline/testing/temp-dir'
import { openTestPostgres } from '@hotline/testing/test-postgres'
import { afterAll, afterEach, beforeEach, expect, it } from 'vitest'
import { startHotlineProcess } from './hotline-process.ts'

const postgres = await openTestPostgres()
afterAll(() => postgres.stop())

let dir: TempDir
beforeEach(async () => {
  dir = await openTempDir('hotline-migrate-')
})
afterEach(() => dir.remove())

type Ended = { code: number | null; out: string; err: string }

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const hotline = startHotlineProcess(args, { HOME: dir.path, HOTLINE_DATA_DIR: dir.path, ...env })
  hotline.endInput()
  return await hotline.ended
}

const path = (): string => join(dir.path, 'hotline.db')
const newest = sqliteMigrations.length
const invalid = exitCodes.invalid

/** A log as an earlier Hotline has left it. */
function makeOld(step: number): void {
  const migrations = sqliteMigrations.slice(0, step)
  new SqliteFile({ path: path(), migrations, failpoints: noFailpoints })[Symbol.dispose]()
}

function stepOf(file = path()): number {
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    return versionOf(db)
  } finally {
    db.close()
  }
}

it('[B122] migrate says what is due, copies the log, and brings it up to date', async () => {
  makeOld(9)
  const looked = await run(['migrate', '--check'])
  expect(looked).toMatchObject({ code: 1, out: expect.stringContaining(`at step 9; this Hotline wants ${newest}`) })
  expect([stepOf(), existsSync(join(dir.path, 'backups'))]).toEqual([9, false])
  const done = await run(['migrate'])
  expect(done).toMatchObject({ code: 0, out: expect.stringContaining(`Went from step 9 to ${newest}`) })
  const [copy = ''] = readdirSync(join(dir.path, 'backups'))
  expect([stepOf(), stepOf(join(dir.path, 'backups', copy, 'hotline.db'))]).toEqual([newest, 9])
  for (const args of [['migrate'], ['migrate', '--check']]) {
    expect(await run(args)).toMatchObject({ code: 0, out: `Nothing is due: the log is at step ${newest}.\n` })
  }
  expect(readdirSync(join(dir.path, 'backups'))).toEqual([copy])
})

it('[B122] the copy goes where one says, or there is none', async () => {
  makeOld(newest - 1)
  const to = join(dir.path, 'elsewhere')
  expect(await run(['migrate', '--backup', to])).toMatchObject({ code: 0, out: expect.stringContaining(to) })
  expect(stepOf(join(to, 'hotline.db'))).toBe(newest - 1)
  expect(await run(['migrate', '--backup', to, '--json'])).toMatchObject({ code: 0 })
})

it('[B123] a log that a server has, one of a newer Hotline and none at all are refused, and stay as they are', async () => {
  expect(await run(['migrate'])).toMatchObject({ code: invalid, err: expect.stringContaining('There is no log') })
  expect([existsSync(path()), existsSync(join(dir.path, 'owner.lock'))]).toEqual([false, false])
  makeOld(9)
  const lock = lockDirectory(dir.path)
  const used = await run(['migrate'])
  lock[Symbol.dispose]()
  expect(used).toMatchObject({ code: invalid, err: expect.stringMatching(/in use|another|server/i) })
  expect([stepOf(), existsSync(join(dir.path, 'backups'))]).toEqual([9, false])
  const db = new DatabaseSync(path())
  db.exec('UPDATE schema_version SET version = 999')
  db.close()
  expect(await run(['migrate', '--check'])).toMatchObject({ code: invalid, err: expect.stringContaining('newer') })
  expect(stepOf()).toBe(999)
})

it('[B123] a step that fails leaves the log as it was before it, and the copy is named', async () => {
  makeOld(newest - 1)
  const db = new DatabaseSync(path())
  // Something that is in the way of the last step.
  db.exec('CREATE TABLE attachments (x)')
  db.close()
  const failed = await run(['migrate'])
  expect(failed.code).toBe(exitCodes.unavailable)
  expect(failed.err).toContain('attachments')
  const [copy = ''] = readdirSync(join(dir.path, 'backups'))
  expect(failed.err).toContain(copy)
  expect(stepOf()).toBe(newest - 1)
})

it('[B122] with PostgreSQL the copy is somebody else’s to make, and the steps are the same', async () => {
  const url = await postgres.createDatabase()
  const env = { HOTLINE_DATABASE_URL: url }
  expect(await run(['migrate'], env)).toMatchObject({ code: invalid, err: expect.stringContaining('There is no log') })
  const pool = openPool(url)
  await migratePostgres(pool, postgresMigrations.slice(0, 5), noFailpoints)
  const wanted = postgresMigrations.length
  expect(await run(['migrate', '--check'], env)).toMatchObject({
    code: 1,
    out: expect.stringContaining(`at step 5; this Hotline wants ${wanted}`),
  })
  expect(await run(['migrate'], env)).toMatchObject({ code: invalid, err: expect.stringContaining('pg_dump') })
  const done = await run(['migrate', '--no-backup'], env)
  expect(done).toMatchObject({ code: 0, out: `Went from step 5 to ${wanted}.\n` })
  const { rows } = await pool.query<{ version: number }>('SELECT version FROM schema_version')
  expect(rows).toEqual([{ version: wanted }])
  await pool.end()
})
