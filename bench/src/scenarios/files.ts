import { numberOf } from '../child.ts'
import { toFlags } from '../flags.ts'
import type { Profile } from '../options.ts'
import { faultsOf, measureChild, nodeChild, type Sample } from '../sample.ts'
import type { Scenario } from '../scenario.ts'
import type { Bench } from '../subject.ts'

const counts: Readonly<Record<Profile, number>> = { smoke: 500, quick: 20_000, full: 100_000 }
const windowMs: Readonly<Record<Profile, number>> = { smoke: 100, quick: 2_000, full: 5_000 }
/** To make the repository, and to see it whole for the first time. */
const beginMs = 120_000

const peer = new URL('../peers/files-load.ts', import.meta.url)

const byHand = 'git status'
const ways = [
  { name: byHand, what: 'status', references: [] },
  { name: 'hotline, snapshot', what: 'snapshot', references: [byHand] },
  { name: 'hotline, undo', what: 'undo', references: [byHand] },
] as const

async function measure(what: string, profile: Profile, bench: Bench): Promise<Sample> {
  const args = toFlags({ what, files: counts[profile], 'window-ms': windowMs[profile], directory: bench.scratch })
  const expectedMs = windowMs[profile] + beginMs
  const { result, use } = await measureChild({ ...nodeChild(peer, args, bench), watched: [], expectedMs })
  return {
    values: { p50Ms: numberOf(result, 'p50Ms'), maxMs: numberOf(result, 'maxMs') },
    faults: faultsOf(result),
    foreignShare: use.foreignShare,
    stolenShare: use.stolenShare,
    // What changes the files is the contender itself.
    loadShare: 0,
  }
}

/** What it costs to know what an agent did to files. */
export const files: Scenario = {
  name: 'files',
  title: 'Ten changed files in a large repository',
  method:
    'A repository in which ten files are changed again and again, and then looked for: by git as a person types it, by the ' +
    'snapshot that is taken after a step, and by an undo (the preview, and going back, each of which looks again). The ' +
    'first look, which reads everything, is not counted.',
  metrics: [
    { key: 'p50Ms', title: 'p50 ms', digits: 0, ratio: true },
    { key: 'maxMs', title: 'max ms', digits: 0, ratio: false },
  ],
  durations: (profile) => ({ window: windowMs[profile] }),
  cells: (profile) => [
    {
      label: `${counts[profile]} files`,
      contenders: ways.map(({ name, what, references }) => ({
        name,
        references,
        measure: (bench) => measure(what, profile, bench),
      })),
    },
  ],
}
