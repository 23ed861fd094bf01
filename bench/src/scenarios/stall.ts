import { numberOf, startChild } from '../child.ts'
import { loadArguments } from '../load.ts'
import type { Profile } from '../options.ts'
import { residentBytes } from '../processor-time.ts'
import { failedSample, faultsOf, followChild, type Sample } from '../sample.ts'
import type { Scenario } from '../scenario.ts'
import { type Bench, programPath, type Subject } from '../subject.ts'
import { stallSubjects } from '../subjects.ts'
import { windowFor } from './fanout.ts'

const clients = 100
const stalledReaders = 10

/** A server without a bound is stopped here: the point is made, and the machine belongs to others too. */
const maxGrowthBytes = 1024 ** 3
const sampleEveryMs = 250
/** A guarded server runs for as long as the goal says, the others until they have shown how they grow. */
const windowsMs: Readonly<Record<Profile, { bounded: number; unbounded: number }>> = {
  smoke: { bounded: 400, unbounded: 400 },
  quick: { bounded: 5_000, unbounded: 5_000 },
  full: { bounded: 60_000, unbounded: 10_000 },
}

interface StallPlan {
  stalled: number
  windowMs: number
  wake: boolean
}

/** Follows the resident memory of a server; `exceeded` is called once when it has grown too much. */
function watchGrowth(
  pids: readonly number[],
  exceeded: () => void,
): Disposable & { startBytes: number; peakBytes(): number } {
  const startBytes = residentBytes(pids)
  let peakBytes = startBytes
  const timer = setInterval(() => {
    peakBytes = Math.max(peakBytes, residentBytes(pids))
    if (peakBytes - startBytes <= maxGrowthBytes) return
    clearInterval(timer)
    exceeded()
  }, sampleEveryMs)
  return { startBytes, peakBytes: () => peakBytes, [Symbol.dispose]: () => clearInterval(timer) }
}

async function measure(subject: Subject, plan: StallPlan, bench: Bench): Promise<Sample> {
  await using server = await subject.start(bench, { replay: 0 })
  await using load = startChild({
    command: programPath(bench.programs.wsload),
    arguments: loadArguments({ mode: 'saturate', clients, window: windowFor(clients), warmupMs: 100, ...plan }, server),
    cpu: bench.loadCpu,
    signal: bench.signal,
  })
  let stopping: Promise<void> | undefined
  using memory = watchGrowth(server.pids, () => {
    stopping = Promise.resolve(load[Symbol.asyncDispose]())
  })
  const growth = (): Record<string, number> => ({
    startMiB: memory.startBytes / 1024 ** 2,
    growthMiB: (memory.peakBytes() - memory.startBytes) / 1024 ** 2,
  })
  try {
    const { result, use } = await followChild(load, server.pids, plan.windowMs + 30_000)
    return {
      values: {
        ...growth(),
        deliveriesPerSecond: numberOf(result, 'deliveriesPerSecond'),
        p99Ms: numberOf(result, 'p99Us') / 1_000,
        stalledClosed: numberOf(result, 'stalledClosed'),
      },
      faults: faultsOf(result),
      foreignShare: use.foreignShare,
      stolenShare: use.stolenShare,
      loadShare: numberOf(result, 'cpuShare'),
    }
  } catch (error) {
    if (stopping === undefined) throw error
    await stopping
    return { ...failedSample('stopped when it had grown by 1 GiB'), values: growth() }
  }
}

/** Readers that stop reading: what they cost the server and the others. */
export const stall: Scenario = {
  name: 'stall',
  title: `Stalled readers: ${stalledReaders} of ${clients} stop reading, the publisher never waits`,
  method:
    'Saturation as in the fan-out, counted over the readers that read. Growth is the peak of the resident memory over ' +
    'what it was before the first connection; the row without stalled readers shows what the load alone costs.',
  metrics: [
    { key: 'deliveriesPerSecond', title: 'deliveries/s to healthy', digits: 0, ratio: true },
    { key: 'startMiB', title: 'RSS before, MiB', digits: 0, ratio: false },
    { key: 'growthMiB', title: 'growth MiB', digits: 1, ratio: false },
    { key: 'p99Ms', title: 'p99 ms', digits: 2, ratio: false },
    { key: 'stalledClosed', title: 'cut off', digits: 0, ratio: false },
  ],
  durations: (profile) => ({
    'window of what is bounded': windowsMs[profile].bounded,
    'of the others': windowsMs[profile].unbounded,
  }),
  cells: (profile) =>
    stallSubjects.map(({ subject, bounded }) => {
      const windowMs = windowsMs[profile][bounded ? 'bounded' : 'unbounded']
      // What a minute left behind is too much to read again; in short runs it is checked.
      const wake = profile !== 'full'
      return {
        label: `${subject.name}, ${windowMs / 1000} s`,
        contenders: [0, stalledReaders].map((stalled) => ({
          name: `${subject.name}, ${stalled} stalled`,
          references: stalled === 0 ? [] : [`${subject.name}, 0 stalled`],
          measure: (bench) => measure(subject, { stalled, windowMs, wake }, bench),
        })),
      }
    }),
}
