import { firstStretch, saidPiece, searchIndexContract } from '@hotline/testing/search-index-contract'
import { openTestPostgres } from '@hotline/testing/test-postgres'
import { Client } from 'pg'
import { afterAll, describe, expect, it } from 'vitest'
import { PostgresIndex } from '../../src/search/postgres-index.ts'

const server = await openTestPostgres()
afterAll(() => server.stop())

const urls = new Map<string, string>()

searchIndexContract('PostgreSQL', {
  open: async (name) => {
    const url = urls.get(name) ?? (await server.createDatabase())
    urls.set(name, url)
    return PostgresIndex.open(url)
  },
})

describe('tables of a search index', () => {
  it('[SE7] are thrown away and made anew where they are of another version, also by several servers at once', async () => {
    const url = await server.createDatabase()
    {
      await using index = await PostgresIndex.open(url)
      await index.index(firstStretch('session:s', [saidPiece(1, 'early')]))
    }
    const client = new Client({ connectionString: url })
    await client.connect()
    await client.query('UPDATE search_version SET version = 99')
    const both = await Promise.all([PostgresIndex.open(url), PostgresIndex.open(url)])
    for (const index of both) expect(await index.position('session:s')).toBeUndefined()
    const stretch = firstStretch('session:s', [saidPiece(1, 'early')])
    await Promise.all(both.map((index) => index.index(stretch)))
    const { rows } = await client.query('SELECT text FROM search_pieces')
    expect(rows).toEqual([{ text: 'early' }])
    await client.end()
    for (const index of both) await index[Symbol.asyncDispose]()
  })

  it('[SE7] refuse what cannot be had as unavailable', async () => {
    await expect(PostgresIndex.open('postgres://nobody:x@127.0.0.1:9/none')).rejects.toMatchObject({
      name: 'StoreUnavailable',
    })
  })
})
