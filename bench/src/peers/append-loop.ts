import { parseArgs } from 'node:util'
import { eventBytes } from '../dialects.ts'
import { quantile } from '../statistics.ts'

/** Something that makes a batch of events durable. */
export interface AppendTarget {
  /** Appends and returns when all of it is durable. */
  commit(events: readonly Buffer[]): void | Promise<void>
  close(): void | Promise<void>
}

export interface AppendOptions {
  batch: number
  warmupMs: number
  windowMs: number
  /** An empty directory of its own. */
  directory: string
  /** A database to connect to, where there is one. */
  url: string
}

/** Commits that are timed at most; further ones are counted and not timed. */
const maxTimedCommits = 2_000_000

/** Runs commits of `batch` events one after the other and reports how many there were and how long each took. */
export async function runAppendLoop(
  open: (options: AppendOptions) => AppendTarget | Promise<AppendTarget>,
): Promise<void> {
  const options = parseAppendOptions()
  const target = await open(options)
  try {
    await commitUntil(target, options.batch, performance.now() + options.warmupMs, [])
    say({ phase: 'window' })
    const start = performance.now()
    const durationsMs: number[] = []
    const commits = await commitUntil(target, options.batch, start + options.windowMs, durationsMs)
    const seconds = (performance.now() - start) / 1000
    say({ phase: 'stop' })
    const sorted = Float64Array.from(durationsMs).toSorted()
    say({
      phase: 'result',
      eventsPerSecond: (commits * options.batch) / seconds,
      p50Us: quantile(sorted, 0.5) * 1000,
      p99Us: quantile(sorted, 0.99) * 1000,
      maxUs: quantile(sorted, 1) * 1000,
      failure: commits === 0 ? 'no commit within the window' : '',
    })
  } finally {
    await target.close()
  }
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

function say(line: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

function parseAppendOptions(): AppendOptions {
  const flag = { type: 'string', default: '' } as const
  const { values } = parseArgs({
    options: { batch: flag, 'warmup-ms': flag, 'window-ms': flag, directory: flag, url: flag },
    strict: true,
  })
  return {
    batch: Number(values.batch),
    warmupMs: Number(values['warmup-ms']),
    windowMs: Number(values['window-ms']),
    directory: values.directory,
    url: values.url,
  }
}
