import type { ScenarioSummary } from './summary.ts'

/** A goal beside what was reached. */
export interface GoalResult {
  id: string
  what: string
  goal: string
  /** Undefined where this run did not measure it. */
  reached: number | undefined
  met: boolean | undefined
}

interface Goal {
  id: string
  what: string
  bound: { atLeast: number } | { atMost: number }
  reach: (find: Find) => number | undefined
}

/** The median of a metric of a contender, where it was measured. */
type Find = (scenario: string, cell: string, contender: string, metric: string) => number | undefined

// Names as they stand in the tables. Ours appear in subjects/hotline.ts.
const ours = 'hotline'
const oursNotDurable = 'hotline, commit off'
const bareC = 'bare C, one send each'
const socketIo = 'socket.io 4, recovery'
const file = 'preallocated file + fdatasync'

function divide(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined || b === 0 ? undefined : a / b
}

function fanoutRatio(cell: string, contender: string, reference: string): Goal['reach'] {
  return (find) =>
    divide(
      find('fanout', cell, contender, 'deliveriesPerSecond'),
      find('fanout', cell, reference, 'deliveriesPerSecond'),
    )
}

function latencyRatio(contender: string, metric: string): Goal['reach'] {
  return (find) => divide(find('latency', 'N = 100', contender, metric), find('latency', 'N = 100', bareC, metric))
}

function appendRatio(cell: string, contender: string, reference: string): Goal['reach'] {
  return (find) =>
    divide(find('append', cell, contender, 'eventsPerSecond'), find('append', cell, reference, 'eventsPerSecond'))
}

/** What durability adds to a paced delivery, in syncs of that disk. */
function addedByDurability(find: Find): number | undefined {
  const durable = find('latency', 'N = 100', ours, 'p50Ms')
  const other = find('latency', 'N = 100', oursNotDurable, 'p50Ms')
  const syncUs = find('append', '1 event a commit', file, 'p50Us')
  if (durable === undefined || other === undefined || syncUs === undefined) return undefined
  return (durable - other) / (syncUs / 1_000)
}

function stallValue(stalled: number, metric: string): (find: Find) => number | undefined {
  return (find) =>
    find('stall', `${ours}, 60 s`, `${ours}, ${stalled} stalled`, metric) ??
    find('stall', `${ours}, 5 s`, `${ours}, ${stalled} stalled`, metric)
}

function growthPerStalledReader(find: Find): number | undefined {
  const without = stallValue(0, 'growthMiB')(find)
  const withThem = stallValue(10, 'growthMiB')(find)
  return without === undefined || withThem === undefined ? undefined : (withThem - without) / 10
}

const goals: readonly Goal[] = [
  {
    id: 'G1',
    what: 'deliveries/s, N = 100, ÷ bare C',
    bound: { atLeast: 0.75 },
    reach: fanoutRatio('N = 100', ours, bareC),
  },
  {
    id: 'G3',
    what: 'deliveries/s, N = 100, durable, ÷ socket.io',
    bound: { atLeast: 6 },
    reach: fanoutRatio('N = 100', ours, socketIo),
  },
  {
    id: 'G3',
    what: 'deliveries/s, N = 1000, durable, ÷ socket.io',
    bound: { atLeast: 4 },
    reach: fanoutRatio('N = 1000', ours, socketIo),
  },
  {
    id: 'G4',
    what: 'deliveries/s, N = 100, durable ÷ not durable',
    bound: { atLeast: 0.6 },
    reach: fanoutRatio('N = 100', ours, oursNotDurable),
  },
  { id: 'G5', what: 'p50 added by durability ÷ fdatasync', bound: { atMost: 2.5 }, reach: addedByDurability },
  {
    id: 'G6',
    what: 'paced p50, N = 100, not durable, ÷ bare C',
    bound: { atMost: 2 },
    reach: latencyRatio(oursNotDurable, 'p50Ms'),
  },
  { id: 'G6', what: 'paced p50, N = 100, durable, ÷ bare C', bound: { atMost: 3 }, reach: latencyRatio(ours, 'p50Ms') },
  { id: 'G6', what: 'paced p99, N = 100, durable, ÷ bare C', bound: { atMost: 3 }, reach: latencyRatio(ours, 'p99Ms') },
  {
    id: 'G7',
    what: 'appends/s, batch 1, ÷ file + fdatasync',
    bound: { atLeast: 0.6 },
    reach: appendRatio('1 event a commit', 'hotline, SQLite', file),
  },
  {
    id: 'G8',
    what: 'appends/s, batch 100, ÷ file + fdatasync',
    bound: { atLeast: 0.25 },
    reach: appendRatio('100 events a commit', 'hotline, SQLite', file),
  },
  {
    id: 'G9',
    what: 'appends/s of 64 writers ÷ @durable-streams/server',
    bound: { atLeast: 10 },
    reach: (find) =>
      divide(
        find('writers', '64 connections', ours, 'answersPerSecond'),
        find('writers', '64 connections', '@durable-streams/server', 'answersPerSecond'),
      ),
  },
  {
    id: 'G10',
    what: 'PostgreSQL appends/s, batch 100, ÷ plain INSERT',
    bound: { atLeast: 0.75 },
    reach: appendRatio('100 events a commit', 'hotline, PostgreSQL', 'PostgreSQL, plain INSERT'),
  },
  { id: 'G12', what: 'MiB for each stalled reader', bound: { atMost: 1 }, reach: growthPerStalledReader },
  {
    id: 'G12',
    what: 'deliveries/s to healthy readers, 10 stalled ÷ 0 stalled',
    bound: { atLeast: 0.95 },
    reach: (find) => divide(stallValue(10, 'deliveriesPerSecond')(find), stallValue(0, 'deliveriesPerSecond')(find)),
  },
  {
    id: 'G13',
    what: 'storm of 3,000 with 100 events each ÷ bare ws upgrades',
    bound: { atMost: 1.25 },
    reach: (find) =>
      divide(
        find('storm', '3000 clients', ours, 'totalMs'),
        find('storm', '3000 clients', 'ws, upgrade only', 'totalMs'),
      ),
  },
  {
    id: 'G14',
    what: 'memory of an idle connection ÷ bare ws',
    bound: { atMost: 1.5 },
    reach: (find) =>
      divide(
        find('memory', 'N = 1000', ours, 'perConnectionKiB'),
        find('memory', 'N = 1000', 'ws, naive', 'perConnectionKiB'),
      ),
  },
]

/** Compares what was measured with the goals; those that need what was not measured say so. G17 is about every run. */
export function compareWithGoals(scenarios: readonly ScenarioSummary[]): GoalResult[] {
  const find: Find = (scenario, cell, contender, metric) =>
    scenarios
      .find(({ name }) => name === scenario)
      ?.cells.find(({ label }) => label === cell)
      ?.contenders.find(({ name }) => name === contender)?.metrics[metric]?.median
  const results = goals.map(({ id, what, bound, reach }) => {
    const reached = reach(find)
    const text = 'atLeast' in bound ? `≥ ${bound.atLeast}` : `≤ ${bound.atMost}`
    const met =
      reached === undefined ? undefined : 'atLeast' in bound ? reached >= bound.atLeast : reached <= bound.atMost
    return { id, what, goal: text, reached, met }
  })
  return results.some(({ reached }) => reached !== undefined) ? [...results, lossGoal(scenarios)] : []
}

function lossGoal(scenarios: readonly ScenarioSummary[]): GoalResult {
  const faulty = scenarios
    .flatMap(({ cells }) => cells)
    .flatMap(({ contenders }) => contenders)
    .filter(({ name, faults }) => name.startsWith(ours) && faults.length > 0).length
  return {
    id: 'G17',
    what: 'rows of ours with a lost, doubled or reordered event',
    goal: '0',
    reached: faulty,
    met: faulty === 0,
  }
}
