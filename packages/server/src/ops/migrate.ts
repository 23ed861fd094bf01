import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { systemClock } from '../machine/clock.ts'
import { systemIds } from '../machine/ids.ts'
import { DatabaseRefused, missingSteps } from '../log/migrations.ts'
import { type DatabasePlace, openDatabase } from '../log/open-database.ts'
import { postgresMigrations } from '../log/postgres/migrations.ts'
import { openPool } from '../log/postgres/postgres-pool.ts'
import { sqliteMigrations } from '../log/sqlite/migrations.ts'
import { lockDirectory } from '../log/sqlite/owner-lock.ts'
import { versionOf } from '../log/sqlite/sqlite-file.ts'

/** Where the schema of a log stands, and what this Hotline wants. */
export interface SchemaStanding {
  step: number
  wanted: number
}

/** Looks and changes nothing. Throws `DatabaseRefused` where there is no log, or a newer Hotline has written it. */
export async function schemaStanding(place: DatabasePlace): Promise<SchemaStanding> {
  switch (place.kind) {
    case 'sqlite': {
      const path = join(place.dir, 'hotline.db')
      if (!existsSync(path)) throw new DatabaseRefused(`There is no log in ${place.dir}: the first start makes it.`)
      return { step: stepOfFile(path), wanted: newest(sqliteMigrations) }
    }
    case 'postgres':
      return { step: await stepOfPostgres(place.url), wanted: newest(postgresMigrations) }
  }
}

/**
 * Brings the schema up to date, as a start of the server does; a step that fails leaves the log as it was before the step.
 * Throws `DirectoryInUse` where a server has it, and what the database throws.
 */
export async function bringUpToDate(place: DatabasePlace): Promise<void> {
  const database = await openDatabase(place, { clock: systemClock, ids: systemIds(() => Date.now()) })
  await database[Symbol.asyncDispose]()
}

/** Throws `DirectoryInUse` where a server has the log. */
export function refuseWhereUsed(place: DatabasePlace): void {
  if (place.kind === 'sqlite') lockDirectory(place.dir)[Symbol.dispose]()
}

function newest(migrations: readonly { version: number }[]): number {
  return migrations.at(-1)?.version ?? 0
}

function stepOfFile(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 })
  try {
    const step = versionOf(db)
    missingSteps(sqliteMigrations, step, path)
    return step
  } finally {
    db.close()
  }
}

async function stepOfPostgres(url: string): Promise<number> {
  const pool = openPool(url)
  try {
    const { rows: found } = await pool.query<{ there: string | null }>("SELECT to_regclass('schema_version') AS there")
    if ((found[0]?.there ?? null) === null) {
      throw new DatabaseRefused('There is no log in this database: the first start makes it.')
    }
    const { rows } = await pool.query<{ version: number }>('SELECT version FROM schema_version')
    const step = rows[0]?.version ?? 0
    missingSteps(postgresMigrations, step, 'the database')
    return step
  } finally {
    await pool.end()
  }
}
