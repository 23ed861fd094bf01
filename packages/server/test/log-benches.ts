import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import type { LogBench, OpenLogBench } from '@hotline/testing/log-bench'
import type { TestPostgres } from '@hotline/testing/test-postgres'
import { openTempDir } from '@hotline/testing/temp-dir'
import { Client } from 'pg'
import { openDatabase } from '../src/log/open-database.ts'
import type { Database, DatabasePlace } from '../src/log/open-database.ts'
import { seqBits } from '../src/log/sqlite/event-place.ts'
import { systemClock } from '../src/machine/clock.ts'
import { systemIds } from '../src/machine/ids.ts'

const realIds = systemIds(() => systemClock.wallMs())

/** Stores in directories of their own. */
export const openSqliteBench: OpenLogBench = async ({ ids = realIds } = {}) => {
  const dir = await openTempDir('hotline-log-')
  const place: DatabasePlace = { kind: 'sqlite', dir: dir.path, logBytes: 256 * 1024 }
  return benchOf(
    () => openDatabase(place, { clock: systemClock, ids }),
    (text, parameters) => {
      const db = new DatabaseSync(join(dir.path, 'hotline.db'))
      try {
        return Promise.resolve(db.prepare(text.replaceAll(/\$[0-9]+/g, '?')).all(...parameters))
      } finally {
        db.close()
      }
    },
    ({ no, seq }) => `place = (${no} << ${seqBits} | ${seq})`,
    () => dir.remove(),
  )
}

/** Stores in databases of their own on one server. */
export function postgresBenches(server: TestPostgres): OpenLogBench {
  return async ({ ids = realIds } = {}) => {
    const url = await server.createDatabase()
    return benchOf(
      () => openDatabase({ kind: 'postgres', url }, { clock: systemClock, ids }),
      async (text, parameters) => {
        const client = new Client({ connectionString: url })
        await client.connect()
        try {
          return (await client.query<Record<string, unknown>>(text, [...parameters])).rows
        } finally {
          await client.end()
        }
      },
      ({ no, seq }, clause) => `no = ${no}${clause === 'set' ? ',' : ' AND'} seq = ${seq}`,
      () => Promise.resolve(),
    )
  }
}

type Parameters = readonly (string | number | Uint8Array | null)[]

async function benchOf(
  openIt: () => Promise<Database>,
  sql: (text: string, parameters: Parameters) => Promise<readonly Record<string, unknown>[]>,
  placed: (place: { no: string; seq: number }, clause: 'set' | 'where') => string,
  remove: () => Promise<void>,
): Promise<LogBench> {
  let database = await openIt()
  return {
    get store() {
      return database.store
    },
    get lists() {
      return database.lists
    },
    reopen: async () => {
      await database[Symbol.asyncDispose]()
      database = await openIt()
    },
    sql: (text, ...parameters) => sql(text, parameters),
    moveEvent: async (from, to) => {
      const [before, after] = [from, to].map(({ stream, seq }) => ({
        no: `(SELECT no FROM streams WHERE stream = '${stream}')`,
        seq,
      }))
      if (before && after) await sql(`UPDATE events SET ${placed(after, 'set')} WHERE ${placed(before, 'where')}`, [])
    },
    [Symbol.asyncDispose]: async () => {
      await database[Symbol.asyncDispose]()
      await remove()
    },
  }
}
