import type { Report, Run, ScenarioReport } from './report.ts'
import type { Spread } from './statistics.ts'
import { spreadOf } from './statistics.ts'

/** A goal beside what was reached. */
export interface GoalResult {
  id: string
  what: string
  wanted: string
  /** Over the rounds; undefined where it was not measured. */
  reached: Spread | undefined
  digits: number
  verdict: Verdict
  /** What must be known of the number, or why there is none. */
  remarks: readonly string[]
}

/** `not decided`: rounds lie on both sides of the goal, or they are too few. `no goal`: shown for comparison. */
export type Verdict = 'met' | 'missed' | 'not decided' | 'not measured' | 'no goal'

/** Fewer rounds decide nothing. */
const leastRounds = 3

/** A value in the round that is looked at, from the first of these cells that has it. */
type At = (scenario: string, cells: string | readonly string[], contender: string, metric: string) => number | undefined

type Bound = { atLeast: number } | { atMost: number }

interface MeasuredGoal {
  id: string
  what: string
  /** Undefined: shown for comparison. */
  bound: Bound | undefined
  digits: number
  reach: (at: At) => number | undefined
}

interface OpenGoal {
  id: string
  what: string
  bound: Bound
  /** Why the bench does not measure it. */
  reason: string
}

// Names as they stand in the tables. Ours appear in subjects/hotline.ts.
const ours = 'hotline'
const oursNotDurable = 'hotline, commit off'
const bareC = 'bare C, one send each'
const bareCoalesced = 'bare C, coalesced'
const socketIo = 'socket.io 4, recovery'
const file = 'preallocated file + fdatasync'
const hundred = 'N = 100'
const oneEach = '1 event a commit'
const hundredEach = '100 events a commit'

function ratio(
  scenario: string,
  cells: string | readonly string[],
  metric: string,
  contender: string,
  reference: string,
): MeasuredGoal['reach'] {
  return (at) => divide(at(scenario, cells, contender, metric), at(scenario, cells, reference, metric))
}

function divide(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined || b === 0 ? undefined : a / b
}

/** What durability adds to a paced delivery, in syncs of that disk. */
function addedByDurability(at: At): number | undefined {
  const durable = at('latency', hundred, ours, 'p50Ms')
  const other = at('latency', hundred, oursNotDurable, 'p50Ms')
  const syncUs = at('append', oneEach, file, 'p50Us')
  if (durable === undefined || other === undefined || syncUs === undefined) return undefined
  return (durable - other) / (syncUs / 1_000)
}

const stallCells = [`${ours}, 60 s`, `${ours}, 5 s`]
const stalledReaders = 10

function growthPerStalledReader(at: At): number | undefined {
  const without = at('stall', stallCells, `${ours}, 0 stalled`, 'growthMiB')
  const withThem = at('stall', stallCells, `${ours}, ${stalledReaders} stalled`, 'growthMiB')
  return without === undefined || withThem === undefined ? undefined : (withThem - without) / stalledReaders
}

function measured(
  id: string,
  what: string,
  bound: Bound | undefined,
  reach: MeasuredGoal['reach'],
  digits = 2,
): MeasuredGoal {
  return { id, what, bound, digits, reach }
}

const deliveries = 'deliveriesPerSecond'

const goals: readonly (MeasuredGoal | OpenGoal)[] = [
  measured(
    'G1',
    'deliveries/s, N = 100, beside bare C with one send for each event',
    { atLeast: 0.75 },
    ratio('fanout', hundred, deliveries, ours, bareC),
  ),
  measured(
    'G1',
    'the same beside bare C that sends what came together at once, as we do',
    undefined,
    ratio('fanout', hundred, deliveries, ours, bareCoalesced),
  ),
  {
    id: 'G2',
    what: 'deliveries/s, coalesced, beside uWebSockets',
    bound: { atLeast: 0.7 },
    reason: 'uWebSockets is not in the package registry',
  },
  measured(
    'G3',
    'deliveries/s, N = 100, durable, beside socket.io',
    { atLeast: 6 },
    ratio('fanout', hundred, deliveries, ours, socketIo),
  ),
  measured(
    'G3',
    'deliveries/s, N = 1,000, durable, beside socket.io',
    { atLeast: 4 },
    ratio('fanout', 'N = 1000', deliveries, ours, socketIo),
  ),
  measured(
    'G4',
    'deliveries/s, N = 100, durable beside commit off',
    { atLeast: 0.6 },
    ratio('fanout', hundred, deliveries, ours, oursNotDurable),
  ),
  measured('G5', 'paced p50 added by durability, in syncs of the disk', { atMost: 2.5 }, addedByDurability),
  measured(
    'G6',
    'paced p50, N = 100, commit off, beside bare C',
    { atMost: 2 },
    ratio('latency', hundred, 'p50Ms', oursNotDurable, bareC),
  ),
  measured(
    'G6',
    'paced p50, N = 100, durable, beside bare C',
    { atMost: 3 },
    ratio('latency', hundred, 'p50Ms', ours, bareC),
  ),
  measured(
    'G6',
    'paced p99, N = 100, durable, beside bare C',
    { atMost: 3 },
    ratio('latency', hundred, 'p99Ms', ours, bareC),
  ),
  measured(
    'G7',
    'durable appends/s, one event a commit, beside file + fdatasync',
    { atLeast: 0.6 },
    ratio('append', oneEach, 'eventsPerSecond', 'hotline, SQLite', file),
  ),
  measured(
    'G8',
    'the same, 100 events a commit',
    { atLeast: 0.25 },
    ratio('append', hundredEach, 'eventsPerSecond', 'hotline, SQLite', file),
  ),
  measured(
    'G9',
    'appends/s of 64 writers over HTTP, beside @durable-streams/server',
    { atLeast: 10 },
    ratio('writers', '64 connections', 'answersPerSecond', ours, '@durable-streams/server'),
  ),
  measured(
    'G10',
    'PostgreSQL, 100 events a commit, beside a plain INSERT',
    { atLeast: 0.75 },
    ratio('append', hundredEach, 'eventsPerSecond', 'hotline, PostgreSQL', 'PostgreSQL, plain INSERT'),
  ),
  measured(
    'G10',
    'events out of place when 8 append to one stream at once, 100 a commit',
    { atMost: 0 },
    (at) => at('append', hundredEach, 'hotline, PostgreSQL, 8 writers', 'misplaced'),
    0,
  ),
  {
    id: 'G11',
    what: 'p50 added by a second node, beside one way through NATS',
    bound: { atMost: 2.5 },
    reason: 'there is no second node yet',
  },
  measured('G12', 'MiB for each reader that stopped reading', { atMost: 1 }, growthPerStalledReader),
  measured(
    'G12',
    'deliveries/s to the healthy, 10 of 100 stalled, beside none',
    { atLeast: 0.95 },
    ratio('stall', stallCells, deliveries, `${ours}, ${stalledReaders} stalled`, `${ours}, 0 stalled`),
  ),
  measured(
    'G13',
    '3,000 clients come back for 100 events each, beside bare ws upgrades',
    { atMost: 1.25 },
    ratio('storm', ['3000 clients', '1000 clients'], 'totalMs', ours, 'ws, upgrade only'),
  ),
  measured(
    'G14',
    'memory of an idle connection, beside bare ws',
    { atMost: 1.5 },
    ratio('memory', 'N = 1000', 'perConnectionKiB', ours, 'ws, naive'),
  ),
  {
    id: 'G15',
    what: 'bytes on the wire at 16 events and more in a frame, beside raw JSON',
    bound: { atMost: 0.35 },
    reason: 'frames are not compressed yet',
  },
  measured(
    'G16',
    'resume of 10,000 missed events, beside reading them from the store',
    { atMost: 1.5 },
    ratio('resume', '10000 events', 'totalMs', ours, 'read from the store'),
  ),
  measured(
    'G18',
    'an approval from asking to answered, p50, beside ws that syncs and passes on',
    { atMost: 3 },
    ratio('approval', 'one at a time', 'p50Ms', ours, 'ws + fdatasync'),
  ),
  measured('G18', 'the same, p99', { atMost: 4 }, ratio('approval', 'one at a time', 'p99Ms', ours, 'ws + fdatasync')),
  measured(
    'G19',
    'signed-in reads/s, 500 connections, beside bare Fastify',
    { atLeast: 0.6 },
    ratio('http', '500 connections', 'answersPerSecond', ours, 'bare Fastify'),
  ),
  measured('G19', 'p99 of these reads, ms', { atMost: 100 }, (at) => at('http', '500 connections', ours, 'p99Ms'), 0),
]

/** Compares what a report holds with the goals. Every goal has a row, measured or not. */
export function compareWithGoals(report: Report): GoalResult[] {
  const results = goals.map((goal) => ('reason' in goal ? openResult(goal) : measuredResult(goal, report)))
  const behind = results.findIndex(({ id }) => id === 'G18')
  return results.toSpliced(behind, 0, lossResult(report))
}

function openResult({ id, what, bound, reason }: OpenGoal): GoalResult {
  return {
    id,
    what,
    wanted: wantedText(bound),
    reached: undefined,
    digits: 2,
    verdict: 'not measured',
    remarks: [reason],
  }
}

function measuredResult({ id, what, bound, digits, reach }: MeasuredGoal, report: Report): GoalResult {
  const remarks = new Set<string>()
  const repeats = Math.max(0, ...report.runs.map((run) => run.repeats))
  const reached = Array.from({ length: repeats }, (_, round) => reach(lookUp(report, round, remarks)))
  const values = reached.filter((value) => value !== undefined)
  return {
    id,
    what,
    wanted: bound === undefined ? '–' : wantedText(bound),
    reached: spreadOf(values),
    digits,
    verdict: judge(values, bound),
    remarks: [...remarks],
  }
}

function wantedText(bound: Bound): string {
  return 'atLeast' in bound ? `≥ ${bound.atLeast}` : `≤ ${bound.atMost}`
}

function judge(values: readonly number[], bound: Bound | undefined): Verdict {
  if (values.length === 0) return 'not measured'
  if (bound === undefined) return 'no goal'
  if (values.length < leastRounds) return 'not decided'
  const good = values.filter((value) => ('atLeast' in bound ? value >= bound.atLeast : value <= bound.atMost)).length
  return good === values.length ? 'met' : good === 0 ? 'missed' : 'not decided'
}

/** Looks values of one round up, and remarks what must be known of the rows that they stand in. */
function lookUp(report: Report, round: number, remarks: Set<string>): At {
  return (scenarioName, cells, contenderName, metric) => {
    const found = findScenario(report, scenarioName)
    if (found === undefined) {
      remarks.add(`no scenario "${scenarioName}" in this report`)
      return undefined
    }
    const labels = typeof cells === 'string' ? [cells] : cells
    const cell = labels.flatMap((label) => found.scenario.cells.find((other) => other.label === label) ?? [])[0]
    const contender = cell?.contenders.find(({ name }) => name === contenderName)
    if (cell === undefined || contender === undefined) {
      remarks.add(`no row "${contenderName}", ${labels.join(' or ')}`)
      return undefined
    }
    if (cell.label !== labels[0]) remarks.add(`measured with ${cell.label}`)
    if (found.run.profile !== 'full') remarks.add('short windows')
    if (contender.absent !== undefined) remarks.add(`${contenderName}: ${contender.absent}`)
    if (contender.doubtful || contender.faults.length > 0) remarks.add(`${contenderName}: see the row`)
    return contender.values[metric]?.rounds[round] ?? undefined
  }
}

function findScenario(report: Report, name: string): { run: Run; scenario: ScenarioReport } | undefined {
  return report.runs
    .flatMap((run) => run.scenarios.map((scenario) => ({ run, scenario })))
    .find(({ scenario }) => scenario.name === name)
}

/** The rows of ours that lost, doubled or reordered something, or could not be measured to the end. */
function lossResult(report: Report): GoalResult {
  const rows = report.runs
    .flatMap(({ scenarios }) => scenarios)
    .flatMap(({ cells }) => cells)
    .flatMap(({ contenders }) => contenders)
    .filter(({ name, samples }) => name.startsWith(ours) && samples > 0)
  const faulty = rows.filter(({ faults }) => faults.length > 0).length
  return {
    id: 'G17',
    what: `rows of ours with a lost, doubled or reordered event, of ${rows.length}`,
    wanted: '0',
    reached: rows.length === 0 ? undefined : { median: faulty, min: faulty, max: faulty },
    digits: 0,
    verdict: rows.length === 0 ? 'not measured' : faulty === 0 ? 'met' : 'missed',
    remarks: [],
  }
}
