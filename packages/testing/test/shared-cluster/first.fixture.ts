import { expect, test } from 'vitest'
import { openTestPostgres } from '../../src/test-postgres.ts'

test('a database of the shared cluster', async () => {
  const postgres = await openTestPostgres()
  const databases = [await postgres.createDatabase(), await postgres.createDatabase()]
  console.log('cluster', new URL(postgres.url).port)
  for (const url of databases) console.log('database', url)
  expect(new Set(databases).size).toBe(2)
  await postgres.stop()
})
