import { privatePostgresAvailability } from '@hotline/testing/postgres-binaries'
import { startPrivatePostgres } from '@hotline/testing/private-postgres'
import { numberOf } from '../child.ts'
import { toFlags } from '../flags.ts'
import type { Profile } from '../options.ts'
import { faultsOf, measureChild, nodeChild, type Sample } from '../sample.ts'
import type { Contender, Scenario } from '../scenario.ts'
import { type Bench, Unavailable } from '../subject.ts'

const sizes: Readonly<Record<Profile, readonly [small: number, large: number]>> = {
  smoke: [800, 4_000],
  quick: [10_000, 100_000],
  full: [10_000, 1_000_000],
}
/** A window of some hundred searches takes less than this; while an index is filled, the child speaks now and then. */
const expectedMs = 30_000

/** As it stands in the tables, which are read without an intervening locale. */
function rowName(events: number): string {
  return `hotline, ${events.toLocaleString('en-US')} events`
}

type Database = 'SQLite' | 'PostgreSQL'

async function measure(database: Database, events: number, bench: Bench): Promise<Sample> {
  if (database === 'SQLite') return measureIn(bench, events, '')
  const availability = privatePostgresAvailability()
  if (!availability.available) throw new Unavailable(availability.reason)
  await using server = await startPrivatePostgres()
  return await measureIn(bench, events, server.url)
}

async function measureIn(bench: Bench, events: number, url: string): Promise<Sample> {
  const args = toFlags({ events, directory: bench.scratch, url })
  const loop = nodeChild(new URL('../peers/search-loop.ts', import.meta.url), args, bench)
  const { result, use } = await measureChild({ ...loop, watched: [], expectedMs })
  return {
    values: {
      rareP50Us: numberOf(result, 'rareP50Us'),
      rareP99Us: numberOf(result, 'rareP99Us'),
      commonP50Us: numberOf(result, 'commonP50Us'),
      phraseP50Us: numberOf(result, 'phraseP50Us'),
      filledPerSecond: numberOf(result, 'filledPerSecond'),
    },
    faults: faultsOf(result),
    foreignShare: use.foreignShare,
    stolenShare: use.stolenShare,
    // The loop that searches is the contender itself.
    loadShare: 0,
  }
}

/** How long a search takes when there is a hundred times as much to search. */
export const search: Scenario = {
  name: 'search',
  title: 'Searching what was said',
  method:
    'An index is filled with messages of some twenty words, 1,000 in each session, in ten projects. Then one page of twenty is ' +
    'looked for, one search after the other, each in all ten projects: words that are in twenty messages whatever the size, a word that is ' +
    'in each tenth, and a phrase that is in each twentieth. Marks and snippets are part of the time, HTTP is not.',
  metrics: [
    { key: 'rareP50Us', title: 'rare p50 µs', digits: 0, ratio: true },
    { key: 'rareP99Us', title: 'rare p99 µs', digits: 0, ratio: false },
    { key: 'commonP50Us', title: 'common p50 µs', digits: 0, ratio: true },
    { key: 'phraseP50Us', title: 'phrase p50 µs', digits: 0, ratio: true },
    { key: 'filledPerSecond', title: 'indexed/s', digits: 0, ratio: false },
  ],
  durations: () => ({}),
  cells: (profile) => {
    const [small, large] = sizes[profile]
    return (['SQLite', 'PostgreSQL'] as const).map((database) => ({
      label: database,
      contenders: [small, large].map((events): Contender => ({
        name: rowName(events),
        references: events === small ? [] : [rowName(small)],
        measure: (bench) => measure(database, events, bench),
      })),
    }))
  },
}
