// The goals as data: what is compared with what, and what is wanted of it. src/compare.ts judges them.

/** A value in the round that is looked at, from the first of these cells that has it. */
export type At = (
  scenario: string,
  cells: string | readonly string[],
  contender: string,
  metric: string,
) => number | undefined

/** What is good enough. */
export type Bound = { atLeast: number } | { atMost: number }

/** A goal that the bench measures. */
export interface MeasuredGoal {
  id: string
  what: string
  /** Undefined: shown for comparison. */
  bound: Bound | undefined
  /** Whether what else the machine does changes the number; it does not change a count or the size of a process. */
  nature: 'time' | 'size'
  digits: number
  reach: (at: At) => number | undefined
}

/** A goal that it does not. */
export interface OpenGoal {
  id: string
  what: string
  bound: Bound
  /** Why the bench does not measure it. */
  reason: string
}

// Names as they stand in the tables. Ours appear in subjects/hotline.ts.
/** Our server, and what the names of our rows begin with. */
export const ours = 'hotline'
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
  { nature = 'time', digits = 2 }: Partial<Pick<MeasuredGoal, 'nature' | 'digits'>> = {},
): MeasuredGoal {
  return { id, what, bound, nature, digits, reach }
}

const deliveries = 'deliveriesPerSecond'

/** What we want, in the order of the numbers; G17 is about every row and judged apart. */
export const goals: readonly (MeasuredGoal | OpenGoal)[] = [
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
    { nature: 'size', digits: 0 },
  ),
  {
    id: 'G11',
    what: 'p50 added by a second node, beside one way through NATS',
    bound: { atMost: 2.5 },
    reason: 'there is no second node yet',
  },
  measured('G12', 'MiB for each reader that stopped reading', { atMost: 1 }, growthPerStalledReader, {
    nature: 'size',
  }),
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
    { nature: 'size' },
  ),
  {
    id: 'G15',
    what: 'bytes on the wire at 16 events and more in a frame, beside raw JSON',
    bound: { atMost: 0.35 },
    reason: 'an option, off by default (`SPEC.md` [Y9])',
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
  measured('G19', 'p99 of these reads, ms', { atMost: 100 }, (at) => at('http', '500 connections', ours, 'p99Ms'), {
    digits: 0,
  }),
  measured(
    'G20',
    'opening a session of 100,000 events, p50, beside one of 100',
    { atMost: 1.2 },
    ratio('open', '100 events at once', 'p50Ms', `${ours}, 100,000 events`, `${ours}, 100 events`),
  ),
  ...(['pty', 'acp'] as const).map((kind) =>
    measured(
      'G21',
      `MB/s of a program that floods (${kind}), into the log, beside a bare loop`,
      { atLeast: 0.5 },
      ratio('flood', kind, 'megabytesPerSecond', ours, 'a bare loop'),
    ),
  ),
  ...(['pty', 'pipe', 'acp'] as const).flatMap((kind) => [
    measured('G21', `p99 of other sessions beside that flood (${kind}), beside before it`, { atMost: 2 }, (at) =>
      at('flood', kind, ours, 'besideP99'),
    ),
    measured('G21', `MiB that the server grows in the second half of that flood (${kind})`, { atMost: 16 }, (at) =>
      at('flood', kind, ours, 'laterMiB'),
    ),
  ]),
  measured(
    'G22',
    'snapshot of a small change in a repository of 100,000 files, after the first, beside git status',
    { atMost: 2 },
    ratio('files', '100000 files', 'p50Ms', 'hotline, snapshot', 'git status'),
  ),
  ...(['SQLite', 'PostgreSQL'] as const).flatMap((store) =>
    (['rare', 'common'] as const).map((word) =>
      measured(
        'G23',
        `search for a ${word} word in 1,000,000 events, beside 10,000 (${store})`,
        { atMost: 2 },
        ratio('search', store, `${word}P50Us`, `${ours}, 1,000,000 events`, `${ours}, 10,000 events`),
      ),
    ),
  ),
]
