import { chmodSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { StatementSync } from 'node:sqlite'
import { Kysely, SqliteDialect } from 'kysely'
import type { Failpoints } from '../failpoints.ts'
import { DatabaseRefused, missingSteps } from '../migrations.ts'
import type { Migration } from '../migrations.ts'
import { describeError, StoreUnavailable } from '../store-unavailable.ts'
import type { Tables } from '../tables.ts'
import { layOutLog } from './lay-out-log.ts'
import { touchPrivately } from './owner-lock.ts'
import { sqliteTrouble } from './sqlite-errors.ts'

/** Which file, and how it becomes what it should be. */
export interface SqliteFileOptions {
  path: string
  migrations: readonly Migration[]
  failpoints: Failpoints
  /** The database may not grow over so many pages; for tests of a full disk. */
  maxPages?: number | undefined
  /** Bytes of write-ahead log that are laid out at the start. */
  logBytes?: number | undefined
}

/** "HOTL": tells a database of Hotline from any other file. */
const applicationId = 0x48_4f_54_4c

/** A commit of one event writes three or four whole pages, so small ones are faster (measured against 8 KiB). */
const pageSizeBytes = 4_096
/** Enough for the inner pages of millions of events; with 64 MiB nothing was quicker, and a server grew by that. */
const cacheKiB = 4 * 1024

/** Up to this size the whole structure is checked at every start; that takes well under a second. */
const fullCheckBytes = 256 * 1024 * 1024

/** Nobody else writes; a checkpoint in the worker may hold a lock for a moment. Then the append is refused. */
const busyTimeoutMs = 250

/** Statements kept compiled. Lists with `in (…)` have many shapes; when there are more, all are dropped. */
const maxStatements = 500

/**
 * One database file with its one connection: pragmas, schema, compiled statements. A connection that failed in a way that
 * leaves open what is on the disk is given up, and the next use opens another.
 */
export class SqliteFile implements Disposable {
  readonly path: string
  readonly #options: SqliteFileOptions
  readonly #statements = new Map<string, StatementSync>()
  #db: DatabaseSync | undefined
  #closed: string | undefined
  /** Counts connections: whoever remembers something about the content compares it. */
  life = 0

  /** Opens or creates the file. Throws `DatabaseRefused` where it must not be used. */
  constructor(options: SqliteFileOptions) {
    this.path = options.path
    this.#options = options
    touchPrivately(options.path)
    if ((statSync(options.path).mode & 0o077) !== 0) chmodSync(options.path, 0o600)
    try {
      this.#check()
      if (options.logBytes !== undefined) layOutLog(options.path, pageSizeBytes, options.logBytes)
      this.#db = this.#connect()
      this.#migrate(this.#db)
    } catch (error) {
      this.#db?.close()
      throw sqliteTrouble(error) === 'damaged' ? this.#damaged(error) : error
    }
  }

  /** The compiled statement, from the cache. Throws `StoreUnavailable` or `DatabaseRefused` when there is no connection. */
  statement(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#connection().prepare(sql)
    if (this.#statements.size >= maxStatements) this.#statements.clear()
    this.#statements.set(sql, statement)
    return statement
  }

  begin(): void {
    this.statement('BEGIN IMMEDIATE').run()
  }

  commit(): void {
    this.statement('COMMIT').run()
  }

  /** Ends an open transaction, if SQLite has not done so itself. */
  rollback(): void {
    if (this.#db?.isTransaction === true) this.statement('ROLLBACK').run()
  }

  /** Gives the connection up; the next use opens another, which reads what is really on the disk. */
  giveUp(): void {
    this.#statements.clear()
    const db = this.#db
    this.#db = undefined
    this.life += 1
    db?.close()
  }

  /**
   * What an error of SQLite means for the caller; the connection is dealt with here. Answers an error to throw or to
   * report.
   */
  troubled(error: unknown): Error {
    const trouble = sqliteTrouble(error)
    switch (trouble) {
      case 'unavailable':
        return new StoreUnavailable(describeError(error), { cause: error })
      case 'readonly':
      case 'suspect':
        this.giveUp()
        return new StoreUnavailable(describeError(error), { cause: error })
      case 'damaged': {
        const refused = this.#damaged(error)
        this.giveUp()
        this.#closed = refused.message
        return refused
      }
      case 'constraint':
      case 'bug':
        return error instanceof Error ? error : new Error(String(error))
    }
  }

  /** Kysely over this very connection. Single statements only: a transaction of its own would catch strangers' writes. */
  kysely(): Kysely<Tables> {
    const prepare = (sql: string) => {
      if (/^\s*(begin|commit|rollback|savepoint|release)\b/i.test(sql)) {
        throw new TypeError(
          'on SQLite, lists are read and changed by single statements; what belongs together goes through append',
        )
      }
      return this.#guarded(() => {
        const statement = this.statement(sql)
        return {
          reader: statement.columns().length > 0,
          all: (parameters: readonly unknown[]) => this.#guarded(() => statement.all(...(parameters as string[]))),
          run: (parameters: readonly unknown[]) => this.#guarded(() => statement.run(...(parameters as string[]))),
          iterate: (parameters: readonly unknown[]) => statement.iterate(...(parameters as string[])),
        }
      })
    }
    return new Kysely<Tables>({ dialect: new SqliteDialect({ database: { prepare, close: () => undefined } }) })
  }

  [Symbol.dispose](): void {
    this.#closed = 'the store is closed'
    this.giveUp()
  }

  #guarded<T>(run: () => T): T {
    try {
      return run()
    } catch (error) {
      throw this.troubled(error)
    }
  }

  #connection(): DatabaseSync {
    if (this.#closed !== undefined) throw new StoreUnavailable(this.#closed)
    try {
      this.#db ??= this.#connect()
      return this.#db
    } catch (error) {
      if (sqliteTrouble(error) === 'bug') throw error
      throw new StoreUnavailable(describeError(error), { cause: error })
    }
  }

  #connect(): DatabaseSync {
    const db = new DatabaseSync(this.path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: false })
    try {
      // Checkpoints are the worker's: inside a commit they would hold up every connection of the server.
      db.exec(`
        PRAGMA page_size = ${pageSizeBytes};
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        PRAGMA wal_autocheckpoint = 0;
        PRAGMA secure_delete = ON;
        PRAGMA cell_size_check = ON;
        PRAGMA trusted_schema = OFF;
        PRAGMA temp_store = MEMORY;
        PRAGMA cache_size = -${cacheKiB};
      `)
      if (this.#options.maxPages !== undefined) db.exec(`PRAGMA max_page_count = ${this.#options.maxPages}`)
      return db
    } catch (error) {
      db.close()
      throw error
    }
  }

  /** Looks before anything is changed: what is refused stays as it is. */
  #check(): void {
    const db = new DatabaseSync(this.path, { readOnly: true })
    try {
      const tables = numberOf(db, 'SELECT count(*) FROM sqlite_schema')
      if (tables > 0 && numberOf(db, 'PRAGMA application_id') !== applicationId) {
        throw new DatabaseRefused(`${this.path} is not a database of Hotline`)
      }
      missingSteps(this.#options.migrations, versionOf(db), this.path)
      if (statSync(this.path).size > fullCheckBytes) return
      const finding = Object.values(db.prepare('PRAGMA quick_check(1)').get() ?? {})[0]
      if (finding !== 'ok') throw this.#damaged(finding)
    } finally {
      db.close()
    }
  }

  #migrate(db: DatabaseSync): void {
    for (const step of missingSteps(this.#options.migrations, versionOf(db), this.path)) {
      // One transaction for each step: a crash leaves the step done or not begun.
      db.exec('BEGIN IMMEDIATE')
      if (step.version === 1) {
        db.exec(
          `PRAGMA application_id = ${applicationId}; CREATE TABLE schema_version (version INTEGER NOT NULL) STRICT`,
        )
        db.exec('INSERT INTO schema_version (version) VALUES (0)')
      }
      for (const statement of step.statements) db.exec(statement)
      db.prepare('UPDATE schema_version SET version = ?').run(step.version)
      this.#options.failpoints.hit('during_migration')
      db.exec('COMMIT')
    }
  }

  #damaged(finding: unknown): DatabaseRefused {
    return new DatabaseRefused(
      `${this.path} is damaged and is not used (${describeError(finding)}): restore a backup, or keep the file and ask for help`,
      { cause: finding },
    )
  }
}

/** Of the schema; 0 for a file that has none yet. */
export function versionOf(db: DatabaseSync): number {
  const known = numberOf(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'schema_version'")
  return known === 0 ? 0 : numberOf(db, 'SELECT version FROM schema_version')
}

function numberOf(db: DatabaseSync, sql: string): number {
  return Number(Object.values(db.prepare(sql).get() ?? {})[0] ?? 0)
}
