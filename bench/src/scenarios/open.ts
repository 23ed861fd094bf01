import { numberOf } from '../child.ts'
import { toFlags } from '../flags.ts'
import type { Profile } from '../options.ts'
import { faultsOf, measureChild, nodeChild, type Sample } from '../sample.ts'
import type { Scenario } from '../scenario.ts'
import type { Bench } from '../subject.ts'
import { hotlineApproval } from '../subjects/hotline.ts'

/** Events of the window that is opened, and of the shortest session. */
const windowEvents = 100
const longEvents: Readonly<Record<Profile, readonly number[]>> = {
  smoke: [1_000],
  quick: [100_000],
  full: [100_000, 1_000_000],
}
const opens: Readonly<Record<Profile, { warmup: number; measured: number }>> = {
  smoke: { warmup: 5, measured: 20 },
  quick: { warmup: 50, measured: 300 },
  full: { warmup: 100, measured: 1_000 },
}
/** Writing the longest, and opening it; a server that needs longer is broken. */
const longestMs = 600_000

const nameOf = (events: number): string => `hotline, ${events.toLocaleString('en')} events`

async function measure(events: number, profile: Profile, bench: Bench): Promise<Sample> {
  await using server = await hotlineApproval.start(bench)
  const { warmup, measured } = opens[profile]
  const counts = { events, window: windowEvents, opens: measured, 'warmup-opens': warmup }
  const args = toFlags({ port: server.port, ...server.session, ...counts })
  const load = nodeChild(new URL('../peers/open-load.ts', import.meta.url), args, bench)
  const child = { ...load, cpu: bench.loadCpu, watched: server.pids, expectedMs: longestMs }
  const { result, use } = await measureChild(child)
  return {
    values: { p50Ms: numberOf(result, 'p50Ms'), p99Ms: numberOf(result, 'p99Ms'), serverShare: use.watchedShare },
    faults: faultsOf(result),
    foreignShare: use.foreignShare,
    stolenShare: use.stolenShare,
    loadShare: numberOf(result, 'cpuShare'),
  }
}

/** Whether a long session opens like a short one. */
export const open: Scenario = {
  name: 'open',
  title: 'Opening a session, long or short',
  method:
    `The state of a session and its newest ${windowEvents} events over HTTP, one after the other, as a page opens it: ` +
    `of a session that has little more than these, and of long ones.`,
  metrics: [
    { key: 'p50Ms', title: 'p50 ms', digits: 2, ratio: true },
    { key: 'p99Ms', title: 'p99 ms', digits: 2, ratio: true },
    { key: 'serverShare', title: 'server CPU', digits: 2, ratio: false },
  ],
  durations: () => ({}),
  cells: (profile) => [
    {
      label: `${windowEvents} events at once`,
      contenders: [windowEvents, ...longEvents[profile]].map((events, index) => ({
        name: nameOf(events),
        references: index === 0 ? [] : [nameOf(windowEvents)],
        measure: (bench) => measure(events, profile, bench),
      })),
    },
  ],
}
