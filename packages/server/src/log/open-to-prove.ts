import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { LogStore } from './log-store.ts'
import { DatabaseRefused } from './migrations.ts'
import type { DatabasePlace } from './open-database.ts'
import { openPool } from './postgres/postgres-pool.ts'
import { PostgresReader } from './postgres/postgres-reader.ts'
import { sqliteMigrations } from './sqlite/migrations.ts'
import { versionOf } from './sqlite/sqlite-file.ts'
import { SqliteReader } from './sqlite/sqlite-reader.ts'

/** A log that is looked at and never written, also while a server works with it. */
export interface ProvableLog
  extends Pick<LogStore, 'head' | 'read' | 'readChain' | 'streams' | 'verify'>, AsyncDisposable {}

/** A checkpoint of the server may hold a lock for a moment. */
const busyTimeoutMs = 5_000

/**
 * Opens a log to prove it. It takes no lock, brings no schema up to date and repairs nothing. Throws `DatabaseRefused` for a
 * schema of another version, `StoreUnavailable` where PostgreSQL cannot be reached, and what SQLite throws.
 */
export async function openToProve(place: DatabasePlace): Promise<ProvableLog> {
  switch (place.kind) {
    case 'sqlite':
      return openSqlite(join(place.dir, 'hotline.db'))
    case 'postgres':
      return openPostgres(place.url)
  }
}

function openSqlite(path: string): ProvableLog {
  const db = new DatabaseSync(path, { readOnly: true, timeout: busyTimeoutMs })
  try {
    const version = versionOf(db)
    const known = sqliteMigrations.at(-1)?.version
    if (version !== known) {
      throw new DatabaseRefused(
        `${path} has schema version ${version}, this Hotline has ${known}: start its server once, then it can be looked at`,
      )
    }
  } catch (error) {
    db.close()
    throw error
  }
  const statements = new Map<string, StatementSync>()
  const reader = new SqliteReader({
    statement: (sql) => {
      const known = statements.get(sql) ?? db.prepare(sql)
      statements.set(sql, known)
      return known
    },
    begin: readOnly,
    commit: readOnly,
  })
  return {
    streams: async (after, limit) => reader.streams(after, limit),
    readChain: async (stream, after, limit) => reader.readChain(stream, after, limit),
    head: async (stream) => reader.head(stream),
    read: async (stream, range) => reader.read(stream, range),
    verify: (stream) => reader.verify(stream),
    [Symbol.asyncDispose]: async () => db.close(),
  }
}

function readOnly(): never {
  throw new TypeError('a log that is being proved is not written')
}

function openPostgres(url: string): ProvableLog {
  const pool = openPool(url)
  const reader = new PostgresReader(pool)
  return {
    streams: (after, limit) => reader.streams(after, limit),
    readChain: (stream, after, limit) => reader.readChain(stream, after, limit),
    head: (stream) => reader.head(stream),
    read: (stream, range) => reader.read(stream, range),
    verify: (stream) => reader.verify(stream),
    [Symbol.asyncDispose]: () => pool.end(),
  }
}
