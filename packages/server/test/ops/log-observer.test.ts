import { agentEvent, freely } from '@hotline/testing/log-bench'
import { openTempDir } from '@hotline/testing/temp-dir'
import { openTestPostgres } from '@hotline/testing/test-postgres'
import { afterAll, describe, expect, it } from 'vitest'
import { parseFailpoint } from '../../src/log/failpoints.ts'
import { type DatabasePlace, openDatabase } from '../../src/log/open-database.ts'
import { systemClock } from '../../src/machine/clock.ts'
import { systemIds } from '../../src/machine/ids.ts'

const server = await openTestPostgres()
afterAll(() => server.stop())
const dir = await openTempDir()
afterAll(() => dir.remove())

const places: [string, () => Promise<DatabasePlace>][] = [
  ['SQLite', () => Promise.resolve({ kind: 'sqlite', dir: dir.path })],
  ['PostgreSQL', async () => ({ kind: 'postgres', url: await server.createDatabase() })],
]

describe.each(places)('the log on %s', (_name, placeOf) => {
  it('[O5] tells of each commit and of what became of each append', async () => {
    const seen: (string | number)[] = []
    const commits: number[] = []
    await using database = await openDatabase(await placeOf(), {
      clock: systemClock,
      ids: systemIds(() => systemClock.wallMs()),
      failpoints: parseFailpoint('after_write_before_sync:disk_full:3'),
      observer: {
        committed: (durationMs) => commits.push(durationMs),
        answered: (result) => seen.push(result.ok ? result.appended.length : result.reason),
      },
    })
    const { store } = database
    const stream = 'session:one'
    await store.append([freely(stream, agentEvent('a'), agentEvent('b')), freely('session:two', agentEvent('c'))])
    await store.append([freely(stream, agentEvent('d'))])
    expect(commits).toHaveLength(2)
    for (const durationMs of commits) expect(durationMs).toBeGreaterThan(0)
    await store.append([freely(stream, agentEvent('no room'))])
    await store.append([{ ...freely(stream, agentEvent('late')), expect: 1 }])
    expect(seen).toEqual([2, 1, 'unavailable', 'conflict'])
  })
})
