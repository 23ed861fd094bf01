import { Client } from 'pg'
import { misplacedIn, runAppendLoop } from './append-loop.ts'

// What one writes with PostgreSQL: a plain INSERT of several rows, numbered by the client, synced at commit.

await runAppendLoop(async ({ url, batch }) => {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query('SET synchronous_commit = on')
  await client.query(`
    DROP TABLE IF EXISTS bench_plain;
    CREATE TABLE bench_plain (stream text NOT NULL, seq bigint NOT NULL, bytes bytea NOT NULL, PRIMARY KEY (stream, seq))
  `)
  const rows = Array.from({ length: batch }, (_, index) => `('session:bench', $${2 * index + 1}, $${2 * index + 2})`)
  const statement = { name: 'append', text: `INSERT INTO bench_plain VALUES ${rows.join(', ')}` }
  let seq = 0
  return {
    commit: async (events) => {
      await client.query({ ...statement, values: events.flatMap((bytes) => [++seq, bytes]) })
    },
    misplaced: async (acknowledged) => {
      const result = await client.query<{ count: string; max: string }>('SELECT count(*), max(seq) FROM bench_plain')
      return misplacedIn({ count: Number(result.rows[0]?.count), max: Number(result.rows[0]?.max) }, acknowledged)
    },
    close: async () => {
      await client.query('DROP TABLE bench_plain')
      await client.end()
    },
  }
})
