import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { inject } from 'vitest'
import { postgresUrlVariable } from './postgres-binaries.ts'
import { createDatabaseOn, dropDatabasesOn } from './postgres-databases.ts'
import type { DatabaseOptions } from './postgres-databases.ts'
import type { DoorAnswer } from './postgres-global-setup.ts'
import { startPrivatePostgres } from './private-postgres.ts'

/** A PostgreSQL server for the tests of one file; who else uses it is not known. */
export interface TestPostgres extends AsyncDisposable {
  /** Of an account that may create databases. */
  readonly url: string
  /** Creates a database of its own and gives its URL. Throws what the server throws. */
  createDatabase(options?: DatabaseOptions): Promise<string>
  /** Drops what was created here, and ends the server if it was started for this file alone. */
  stop(): Promise<void>
}

async function askAtDoor(path: string): Promise<string> {
  const answer = JSON.parse(await text(connect(path))) as DoorAnswer
  if ('failure' in answer) throw new Error(answer.failure)
  return answer.url
}

/**
 * Opens a PostgreSQL for the tests of one file: the one that `HOTLINE_TEST_POSTGRES_URL` names, or the cluster of
 * this run when vitest runs with `postgres-global-setup.ts`, or else one of its own. Throws when none can be had:
 * ask `postgresAvailability` before.
 */
export async function openTestPostgres(): Promise<TestPostgres> {
  const named = process.env[postgresUrlVariable] ?? ''
  const door: string | undefined = inject('hotlinePostgresDoor')
  if (named === '' && door === undefined) return startPrivatePostgres({ fsync: 'off' })
  const url = named === '' ? await askAtDoor(door ?? '') : named
  const created = new Set<string>()
  const stop = async (): Promise<void> => {
    const dropping = [...created]
    created.clear()
    if (dropping.length > 0) await dropDatabasesOn(url, dropping)
  }
  return {
    url,
    async createDatabase(options) {
      const database = await createDatabaseOn(url, options)
      created.add(database)
      return database
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
