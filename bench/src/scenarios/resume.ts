import { numberOf } from '../child.ts'
import { toFlags } from '../flags.ts'
import { runLoad } from '../load.ts'
import type { Profile } from '../options.ts'
import { faultsOf, type Measured, measureChild, nodeChild, type Sample } from '../sample.ts'
import type { Contender, Scenario } from '../scenario.ts'
import type { Bench } from '../subject.ts'
import { hotline } from '../subjects/hotline.ts'

/** In smoke runs fewer, because they are written first. */
const missedEvents: Readonly<Record<Profile, number>> = { smoke: 500, quick: 10_000, full: 10_000 }
/** Writing them, and reading them; a server that needs longer is broken. */
const longestMs = 60_000

function sampleOf({ result, use }: Measured, faults: readonly string[], events: number, loadShare: number): Sample {
  const totalMs = numberOf(result, 'totalMs')
  return {
    values: { totalMs, eventsPerSecond: events / (totalMs / 1_000) },
    faults: [...faultsOf(result), ...faults],
    foreignShare: use.foreignShare,
    stolenShare: use.stolenShare,
    loadShare,
  }
}

/** The store alone, without a server. */
function readFromStore(events: number): Contender {
  return {
    name: 'read from the store',
    references: [],
    measure: async (bench) => {
      const args = toFlags({ directory: bench.scratch, events })
      const script = new URL('../peers/read-hotline.ts', import.meta.url)
      const child = nodeChild(script, args, bench)
      return sampleOf(await measureChild({ ...child, watched: [], expectedMs: longestMs }), [], events, 0)
    },
  }
}

/** A follower that connects, proves who it is and follows from the beginning. */
async function resumeOnce(bench: Bench, events: number): Promise<Sample> {
  await using server = await hotline.start(bench, { replay: events })
  const plan = { mode: 'storm', clients: 1, replay: events, warmupMs: 0, windowMs: longestMs } as const
  const { result, use } = await runLoad(bench, server, plan)
  const unfinished = numberOf(result, 'finished') === 1 ? [] : ['never live']
  const measured = { result: { ...result, totalMs: numberOf(result, 'windowMs') }, use }
  return sampleOf(measured, unfinished, events, numberOf(result, 'cpuShare'))
}

/** One follower that missed much. */
export const resume: Scenario = {
  name: 'resume',
  title: 'Resume: one follower has missed many events',
  method:
    'From connecting until the last missed event has been parsed, with the upgrade and the proof of who follows, beside ' +
    'a program that only reads as many events of the same size from the same kind of store.',
  metrics: [
    { key: 'totalMs', title: 'ms', digits: 1, ratio: true },
    { key: 'eventsPerSecond', title: 'events/s', digits: 0, ratio: false },
  ],
  durations: () => ({}),
  cells: (profile) => {
    const events = missedEvents[profile]
    const server: Contender = {
      name: hotline.name,
      references: ['read from the store'],
      measure: (bench) => resumeOnce(bench, events),
    }
    return [{ label: `${events} events`, contenders: [readFromStore(events), server] }]
  },
}
