import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../machine/clock.ts'
import type { Ids } from '../machine/ids.ts'
import { noFailpoints } from './failpoints.ts'
import type { Failpoints } from './failpoints.ts'
import { listsOver } from './lists.ts'
import type { Lists } from './lists.ts'
import { inLife, lifeFact } from './log-life.ts'
import type { LogObserver } from './log-observer.ts'
import type { LogStore } from './log-store.ts'
import { postgresMigrations } from './postgres/migrations.ts'
import { postgresError } from './postgres/postgres-errors.ts'
import { PostgresLogStore } from './postgres/postgres-log-store.ts'
import { kyselyOver, migratePostgres, openPool } from './postgres/postgres-pool.ts'
import { Checkpointer } from './sqlite/checkpointer.ts'
import { sqliteMigrations } from './sqlite/migrations.ts'
import { lockDirectory } from './sqlite/owner-lock.ts'
import { SqliteFile } from './sqlite/sqlite-file.ts'
import { SqliteLogStore } from './sqlite/sqlite-log-store.ts'

/** A directory of this machine's own disk (not a network share), or a PostgreSQL. */
export type DatabasePlace =
  | {
      kind: 'sqlite'
      dir: string
      /** The database may not grow over so many pages of 4 KiB; for tests of a full disk. */
      maxPages?: number | undefined
      /** Bytes of write-ahead log that are laid out before the first commit, which makes commits faster. */
      logBytes?: number | undefined
    }
  | { kind: 'postgres'; url: string }

/** What the database takes from the machine. */
export interface DatabaseMeans {
  clock: Clock
  ids: Ids
  failpoints?: Failpoints | undefined
  observer?: LogObserver | undefined
}

/** The log and the lists that are written with it. Disposing commits what waits and closes. */
export interface Database extends AsyncDisposable {
  store: LogStore
  lists: Lists
}

/**
 * Opens the database, creates it where there is none, and brings its schema up to date. Throws `DirectoryInUse` where
 * another server has it, `DatabaseRefused` where it is damaged, foreign or newer, `StoreUnavailable` where it cannot be
 * reached.
 */
export async function openDatabase(place: DatabasePlace, means: DatabaseMeans): Promise<Database> {
  const database = await openFirst(place, means)
  try {
    const life = await database.lists.fact(lifeFact)
    return life === undefined ? database : { ...database, store: inLife(database.store, life) }
  } catch (error) {
    await database[Symbol.asyncDispose]()
    throw error
  }
}

async function openFirst(place: DatabasePlace, means: DatabaseMeans): Promise<Database> {
  const failpoints = means.failpoints ?? noFailpoints
  switch (place.kind) {
    case 'sqlite':
      return openSqlite(place, { ...means, failpoints })
    case 'postgres':
      return openPostgres(place.url, { ...means, failpoints })
  }
}

function openSqlite(
  { dir, ...options }: Extract<DatabasePlace, { kind: 'sqlite' }>,
  means: DatabaseMeans & { failpoints: Failpoints },
): Database {
  const { ids, failpoints } = means
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const lock = lockDirectory(dir)
  try {
    const path = join(dir, 'hotline.db')
    const file = new SqliteFile({ path, migrations: sqliteMigrations, failpoints, ...options })
    const checkpointer = new Checkpointer(file, failpoints)
    const store = new SqliteLogStore({ file, ids, failpoints, checkpointer, observer: means.observer })
    return {
      store,
      lists: listsOver(file.kysely()),
      [Symbol.asyncDispose]: async () => {
        await store[Symbol.asyncDispose]()
        lock[Symbol.dispose]()
      },
    }
  } catch (error) {
    lock[Symbol.dispose]()
    throw error
  }
}

async function openPostgres(url: string, means: DatabaseMeans & { failpoints: Failpoints }): Promise<Database> {
  const pool = openPool(url)
  try {
    await migratePostgres(pool, postgresMigrations, means.failpoints)
  } catch (error) {
    await pool.end()
    throw postgresError(error)
  }
  const store = new PostgresLogStore({ ...means, pool })
  return { store, lists: listsOver(kyselyOver(pool)), [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() }
}
