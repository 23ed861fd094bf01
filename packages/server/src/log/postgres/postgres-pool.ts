import { Kysely, PostgresDialect } from 'kysely'
import { Pool, types as builtin } from 'pg'
import type { CustomTypesConfig, PoolClient } from 'pg'
import type { Failpoints } from '../failpoints.ts'
import { missingSteps } from '../migrations.ts'
import type { Migration } from '../migrations.ts'
import type { Tables } from '../tables.ts'
import { answered, postgresError, postgresTrouble, sqlState } from './postgres-errors.ts'

/** Appends use up to `appendLanes` of them; the rest is for reads. */
const maxConnections = 10

/** A server that does not take a connection within this time counts as away. */
const connectTimeoutMs = 5_000

/** An answer that takes longer is not waited for: the connection is given up, and what it did is looked up. */
const answerTimeoutMs = 20_000

/** The server itself ends a statement that nobody waits for any more. */
const statementTimeoutMs = 15_000

/** Any number; the same for every server that brings this database up to date. */
const migrationLock = 4_680_001

const int8Oid = 20

/** Positions come as numbers, because none of them comes near 2^53. */
const types: CustomTypesConfig = {
  getTypeParser: (oid: number): unknown => (oid === int8Oid ? Number : builtin.getTypeParser(oid)),
}

/** Connections to the database of the log. */
export type PostgresPool = Pool

/** One of them. */
export type PostgresClient = PoolClient

/**
 * Opens a pool for the database of this URL. Statements on one connection are sent without waiting for each other
 * (pipelined); the server works them off in order.
 */
export function openPool(url: string): PostgresPool {
  const pool = new Pool({
    connectionString: url,
    max: maxConnections,
    pipeline: true,
    types,
    keepAlive: true,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: answerTimeoutMs,
    statement_timeout: statementTimeoutMs,
    application_name: 'hotline',
  })
  // A connection that breaks while nobody uses it; the pool takes another when one is needed.
  pool.on('error', () => undefined)
  pool.on('connect', (client) => {
    // An event that was acknowledged is on the disk, whatever the server's own setting. If this cannot be said, neither
    // can what comes after it on this connection.
    client.query('SET synchronous_commit = on').catch(() => client.end())
  })
  return pool
}

/**
 * Runs `work` on one connection. One that broke, or was left inside a transaction, is not used again. Throws
 * `ConnectionLost` and what pg throws.
 */
export async function withClient<T>(pool: PostgresPool, work: (client: PostgresClient) => Promise<T>): Promise<T> {
  const client = await answered(pool.connect())
  // Breaking is told by the query that fails; without a listener it would end the process.
  const ignore = (): undefined => undefined
  client.on('error', ignore)
  let broken = false
  try {
    return await work(client)
  } catch (error) {
    broken = sqlState(error) === undefined || postgresTrouble(error) === 'unknown'
    throw error
  } finally {
    client.off('error', ignore)
    client.release(broken || client.getTransactionStatus() !== 'I')
  }
}

/** Kysely over the pool, for the lists. Errors of the connection come out as `StoreUnavailable`. */
export function kyselyOver(pool: PostgresPool): Kysely<Tables> {
  const guarded = {
    options: {},
    end: () => Promise.resolve(),
    connect: async () => {
      const client = await guard(pool.connect())
      const ignore = (): undefined => undefined
      client.on('error', ignore)
      return {
        query: (sql: string, parameters: readonly unknown[]) => guard(client.query(sql, [...parameters])),
        release: () => {
          client.off('error', ignore)
          client.release()
        },
      }
    },
  }
  return new Kysely<Tables>({ dialect: new PostgresDialect({ pool: guarded as unknown as Pool }) })
}

async function guard<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answered(answer)
  } catch (error) {
    throw postgresError(error)
  }
}

/** Brings the schema up to date, one step after the other; servers that start together take turns. Throws `DatabaseRefused`. */
export async function migratePostgres(
  pool: PostgresPool,
  migrations: readonly Migration[],
  failpoints: Failpoints,
): Promise<void> {
  await withClient(pool, async (client) => {
    const ask = (sql: string) => answered(client.query<{ version: number }>(sql))
    await ask('BEGIN')
    await ask(`SELECT pg_advisory_xact_lock(${migrationLock})`)
    await ask('CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)')
    const { rows } = await ask('SELECT version FROM schema_version')
    if (rows.length === 0) await ask('INSERT INTO schema_version (version) VALUES (0)')
    for (const step of missingSteps(migrations, rows[0]?.version ?? 0, 'the database')) {
      for (const statement of step.statements) await ask(statement)
      await ask(`UPDATE schema_version SET version = ${step.version}`)
      failpoints.hit('during_migration')
    }
    await ask('COMMIT')
  })
}
