import { parseArgs } from 'node:util'
import { eventBytes } from '../dialects.ts'
import { quantile } from '../statistics.ts'

/** Something that makes a batch of events durable. */
export interface AppendTarget {
  /** Appends and returns when all of it is durable. */
  commit(events: readonly Buffer[]): void | Promise<void>
  /** Looks afterwards: how many of the acknowledged events are not in their place. */
  misplaced(acknowledged: number): number | Promise<number>
  close(): void | Promise<void>
}

export interface AppendOptions {
  batch: number
  /** How many append at once, each with a target of its own, to the same stream. */
  writers: number
  warmupMs: number
  windowMs: number
  /** Whether the store is read afterwards; not while it is profiled, where that would look like appending. */
  look: boolean
  /** An empty directory of its own. */
  directory: string
  /** A database to connect to, where there is one. */
  url: string
}

/** Commits that are timed at most; further ones are counted and not timed. */
const maxTimedCommits = 2_000_000

/** Every writer runs commits of `batch` events one after the other; reports how many there were and how long they took. */
export async function runAppendLoop(
  open: (options: AppendOptions) => AppendTarget | Promise<AppendTarget>,
): Promise<void> {
  const options = parseAppendOptions()
  const targets: AppendTarget[] = []
  try {
    for (let writer = 0; writer < options.writers; writer++) targets.push(await open(options))
    const warmUp = await commitAll(targets, options.batch, performance.now() + options.warmupMs, [])
    say({ phase: 'window' })
    const start = performance.now()
    const durationsMs: number[] = []
    const commits = await commitAll(targets, options.batch, start + options.windowMs, durationsMs)
    const seconds = (performance.now() - start) / 1000
    say({ phase: 'stop' })
    const sorted = Float64Array.from(durationsMs).toSorted()
    const acknowledged = (warmUp + commits) * options.batch
    const misplaced = options.look ? ((await targets[0]?.misplaced(acknowledged)) ?? 0) : 0
    say({
      phase: 'result',
      eventsPerSecond: (commits * options.batch) / seconds,
      p50Us: quantile(sorted, 0.5) * 1000,
      p99Us: quantile(sorted, 0.99) * 1000,
      maxUs: quantile(sorted, 1) * 1000,
      misplaced,
      failure: commits === 0 ? 'no commit within the window' : '',
    })
  } finally {
    for (const target of targets) await target.close()
  }
}

async function commitAll(
  targets: readonly AppendTarget[],
  batch: number,
  endMs: number,
  durationsMs: number[],
): Promise<number> {
  const commits = await Promise.all(targets.map((target) => commitUntil(target, batch, endMs, durationsMs)))
  return commits.reduce((sum, count) => sum + count, 0)
}

async function commitUntil(target: AppendTarget, batch: number, endMs: number, durationsMs: number[]): Promise<number> {
  let commits = 0
  for (let before = performance.now(); before < endMs; commits++) {
    const pending = target.commit(makeEvents(commits * batch, batch))
    // A store that works synchronously is not made to wait for a turn of the event loop.
    if (pending !== undefined) await pending
    const after = performance.now()
    if (durationsMs.length < maxTimedCommits) durationsMs.push(after - before)
    before = after
  }
  return commits
}

/** Events of exactly `eventBytes` that differ from each other; making them is part of every contender's time. */
function makeEvents(first: number, count: number): Buffer[] {
  return Array.from({ length: count }, (_, index) => {
    const head = `{"seq":${String(first + index).padStart(10, '1')},"type":"output.appended","text":"`
    return Buffer.from(`${head}${'x'.repeat(eventBytes - head.length - 2)}"}`, 'latin1')
  })
}

/** Of numbers that should be 1 to `acknowledged`: how many are missing or too many, by their count and the greatest. */
export function misplacedIn(stored: { count: number; max: number }, acknowledged: number): number {
  return Math.max(Math.abs(stored.count - acknowledged), Math.abs(stored.max - acknowledged))
}

function say(line: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

function parseAppendOptions(): AppendOptions {
  const flag = { type: 'string', default: '' } as const
  const { values } = parseArgs({
    options: {
      batch: flag,
      writers: { type: 'string', default: '1' },
      'warmup-ms': flag,
      'window-ms': flag,
      look: { type: 'string', default: 'yes' },
      directory: flag,
      url: flag,
    },
    strict: true,
  })
  return {
    batch: Number(values.batch),
    writers: Number(values.writers),
    warmupMs: Number(values['warmup-ms']),
    windowMs: Number(values['window-ms']),
    look: values.look === 'yes',
    directory: values.directory,
    url: values.url,
  }
}
