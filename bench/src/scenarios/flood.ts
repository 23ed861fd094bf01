import { join } from 'node:path'
import { numberOf, startChild } from '../child.ts'
import { toFlags } from '../flags.ts'
import type { Profile } from '../options.ts'
import { residentBytes } from '../processor-time.ts'
import { faultsOf, measureChild, nodeChild, type Sample } from '../sample.ts'
import type { Contender, Scenario } from '../scenario.ts'
import type { Bench } from '../subject.ts'
import { hotlineApproval } from '../subjects/hotline.ts'

/** `seq` up to so many prints 8.9 bytes a line at the most: 12,000,000 lines are 100 MB. */
const lines: Readonly<Record<Profile, number>> = { smoke: 20_000, quick: 1_300_000, full: 12_000_000 }
const chunks: Readonly<Record<Profile, number>> = { smoke: 500, quick: 20_000, full: 200_000 }
const quietMs: Readonly<Record<Profile, number>> = { smoke: 200, quick: 3_000, full: 10_000 }
/** A flood that is not over by then is a fault. */
const longestMs = 600_000
const lookEveryMs = 100
const mebibyte = 1024 ** 2

type Kind = 'pty' | 'pipe' | 'acp'

const peer = new URL('../peers/flood-load.ts', import.meta.url)
const countOf = (kind: Kind, profile: Profile): number => (kind === 'acp' ? chunks : lines)[profile]

async function readBare(kind: Kind, profile: Profile, bench: Bench): Promise<Sample> {
  const args = toFlags({ kind, count: countOf(kind, profile), scratch: bench.scratch })
  const child = { ...nodeChild(peer, args, bench), watched: [], expectedMs: longestMs }
  const { result, use } = await measureChild(child)
  return {
    // There is no server, and nobody beside it.
    values: {
      megabytesPerSecond: numberOf(result, 'megabytesPerSecond'),
      quietP99Ms: 0,
      besideP99Ms: 0,
      besideP99: 1,
      grownMiB: 0,
      laterMiB: 0,
    },
    faults: faultsOf(result),
    foreignShare: use.foreignShare,
    stolenShare: use.stolenShare,
    loadShare: 0,
  }
}

async function readByHotline(kind: Kind, profile: Profile, bench: Bench): Promise<Sample> {
  await using server = await hotlineApproval.start(bench)
  const { runner: key, ...session } = server.session
  const main = new URL(import.meta.resolve('@hotline/runner/main'))
  const surroundings = [
    `HOTLINE_URL=http://localhost:${server.port}`,
    `HOTLINE_RUNNER_KEY=${key}`,
    `HOTLINE_DATA_DIR=${join(bench.scratch, 'runner')}`,
  ]
  const node = nodeChild(main, [], bench)
  const child = { ...node, command: 'env', arguments: [...surroundings, node.command, ...node.arguments] }
  await using runner = startChild({ ...child, cpu: undefined })
  await runner.nextLine(30_000)
  const before = residentBytes(server.pids)
  const seen: number[] = []
  let isFlooding = false
  const entered = (phase: string): void => {
    isFlooding = phase === 'window'
  }
  const looking = setInterval(() => {
    if (isFlooding) seen.push(residentBytes(server.pids))
  }, lookEveryMs)
  try {
    const counts = { kind, count: countOf(kind, profile), 'quiet-ms': quietMs[profile] }
    const args = toFlags({ ...counts, scratch: bench.scratch, port: server.port, ...session })
    const load = { ...nodeChild(peer, args, bench), watched: server.pids, expectedMs: longestMs }
    const { result, use } = await measureChild({ ...load, entered, cpu: undefined })
    return {
      values: {
        megabytesPerSecond: numberOf(result, 'megabytesPerSecond'),
        grownMiB: (Math.max(before, ...seen) - before) / mebibyte,
        laterMiB: grownLater(seen),
        quietP99Ms: numberOf(result, 'quietP99Ms'),
        besideP99Ms: numberOf(result, 'besideP99Ms'),
        besideP99: numberOf(result, 'besideP99Ms') / numberOf(result, 'quietP99Ms'),
      },
      faults: faultsOf(result),
      foreignShare: use.foreignShare,
      stolenShare: use.stolenShare,
      loadShare: 0,
    }
  } finally {
    clearInterval(looking)
  }
}

/** By how much the most of the second half is above the most of the first: nothing where memory is flat. */
function grownLater(seen: readonly number[]): number {
  const middle = Math.ceil(seen.length / 2)
  const most = (of: readonly number[]): number => of.reduce((a, b) => Math.max(a, b), 0)
  return middle === seen.length ? 0 : Math.max(0, most(seen.slice(middle)) - most(seen.slice(0, middle))) / mebibyte
}

/** Programs that print without end, into the log. */
export const flood: Scenario = {
  name: 'flood',
  title: 'Floods: a program prints as fast as it can',
  method:
    'The same program read to its end by a loop that does nothing with it, and by a runner until all of it is in the log ' +
    'of a server, byte for byte. Beside it another session is renamed every 20 ms: the p99 of these answers is divided by ' +
    'that of the seconds before. Growth is the most that the server had while the program printed, less what it had ' +
    'before; growth in the second half the most that it had then, less the most of the first half. That all of it is in ' +
    'the log is looked up afterwards, and counts for nothing. Program, runner, server and the one who renames share the ' +
    'machine.',
  metrics: [
    { key: 'megabytesPerSecond', title: 'MB/s', digits: 1, ratio: true },
    { key: 'quietP99Ms', title: 'p99 ms of others, before', digits: 1, ratio: false },
    { key: 'besideP99Ms', title: 'p99 ms of others, beside', digits: 1, ratio: false },
    { key: 'besideP99', title: 'p99 of others, beside before', digits: 2, ratio: false },
    { key: 'grownMiB', title: 'server grown by MiB', digits: 0, ratio: false },
    { key: 'laterMiB', title: 'in the second half', digits: 0, ratio: false },
  ],
  durations: (profile) => ({ quiet: quietMs[profile] }),
  cells: (profile) =>
    (['pty', 'pipe', 'acp'] as const).map((kind) => {
      const bare: Contender = {
        name: 'a bare loop',
        references: [],
        measure: (bench) => readBare(kind, profile, bench),
      }
      const ours: Contender = {
        name: 'hotline',
        references: [bare.name],
        measure: (bench) => readByHotline(kind, profile, bench),
      }
      return { label: kind, contenders: [bare, ours] }
    }),
}
