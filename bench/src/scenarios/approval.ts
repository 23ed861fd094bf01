import { numberOf } from '../child.ts'
import { toFlags } from '../flags.ts'
import type { Profile } from '../options.ts'
import { faultsOf, measureChild, nodeChild, type Sample } from '../sample.ts'
import { durationsOf, type Scenario } from '../scenario.ts'
import type { ApprovalSubject, Bench } from '../subject.ts'
import { approvalSubjects } from '../subjects.ts'

/** A person's connection may say 200 things a second: far more often than this nobody is asked. */
const everyMs = 20

const timing: Readonly<Record<Profile, { warmupMs: number; windowMs: number }>> = {
  smoke: { warmupMs: 100, windowMs: 300 },
  quick: { warmupMs: 1_000, windowMs: 3_000 },
  full: { warmupMs: 2_000, windowMs: 10_000 },
}

async function measure(subject: ApprovalSubject, profile: Profile, bench: Bench): Promise<Sample> {
  await using server = await subject.start(bench)
  const { warmupMs, windowMs } = timing[profile]
  const times = { 'every-ms': everyMs, 'warmup-ms': warmupMs, 'window-ms': windowMs }
  const args = toFlags({ port: server.port, ...server.session, ...times })
  const load = nodeChild(new URL('../peers/approval-load.ts', import.meta.url), args, bench)
  const { result, use } = await measureChild({
    ...load,
    cpu: bench.loadCpu,
    watched: server.pids,
    expectedMs: warmupMs + windowMs,
  })
  return {
    values: {
      p50Ms: numberOf(result, 'p50Ms'),
      p99Ms: numberOf(result, 'p99Ms'),
      answers: numberOf(result, 'answers'),
      serverShare: use.watchedShare,
    },
    faults: faultsOf(result),
    foreignShare: use.foreignShare,
    stolenShare: use.stolenShare,
    loadShare: numberOf(result, 'cpuShare'),
  }
}

/** How long an agent waits for a person that answers at once. */
export const approval: Scenario = {
  name: 'approval',
  title: 'Approvals: asked, shown, decided, answered',
  method:
    `An agent asks every ${everyMs} ms, and a person's client allows it the moment that it is shown. From asking until ` +
    'the runner has the answer. The reference writes what either side says into a preallocated file, calls fdatasync and ' +
    'passes it on: two messages each way and two syncs, as in ours.',
  metrics: [
    { key: 'p50Ms', title: 'p50 ms', digits: 2, ratio: true },
    { key: 'p99Ms', title: 'p99 ms', digits: 2, ratio: true },
    { key: 'answers', title: 'answers', digits: 0, ratio: false },
    { key: 'serverShare', title: 'server CPU', digits: 2, ratio: false },
  ],
  durations: (profile) => durationsOf(timing[profile]),
  cells: (profile) => [
    {
      label: 'one at a time',
      contenders: approvalSubjects.map((subject, index) => ({
        name: subject.name,
        references: index === 0 ? [] : approvalSubjects.slice(0, 1).map(({ name }) => name),
        measure: (bench) => measure(subject, profile, bench),
      })),
    },
  ],
}
