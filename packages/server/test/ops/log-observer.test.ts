import { agentEvent, freely } from '@hotline/testing/log-bench'
import { openTempDir } from '@hotline/testing/temp-dir'
import { openTestPostgres } from '@hotline/testing/test-postgres'
import { afterAll, describe, expect, it } from 'vitest'
import { parseFailpoint } from '../../src/log/failpoints.ts'
import { type DatabasePlace, openDatabase } from '../../src/log/open-database.ts'
import { systemClock } from '../../src/machine/clock.ts'
import { systemIds } from '../../src/machine/ids.ts'
import { openLogger } from '../../src/machine/logger.ts'
import { openMetrics } from '../../src/machine/metrics.ts'
import { observeLog } from '../../src/ops/measure-server.ts'

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

it('[O9] that the log cannot be written is logged once, and that it can again', () => {
  const lines: Record<string, unknown>[] = []
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>)
  const observer = observeLog(openMetrics(), openLogger({ destination: { write } }))
  const full = { ok: false, reason: 'unavailable', detail: 'database or disk is full' } as const
  const fine = { ok: true, appended: [] } as const
  const moved = { ok: false, reason: 'conflict', what: 'head' } as const
  for (const result of [fine, moved, full, full, moved, full, fine, fine]) observer.answered(result)
  expect(lines.map(({ level, msg, detail }) => [level, msg, detail])).toEqual([
    ['error', 'the log cannot be written', 'database or disk is full'],
    ['info', 'the log can be written again', undefined],
  ])
})
