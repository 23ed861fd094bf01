import { numberOf } from '../child.ts'
import { runLoad } from '../load.ts'
import type { Profile } from '../options.ts'
import { faultsOf, type Sample } from '../sample.ts'
import type { Scenario } from '../scenario.ts'
import type { Bench, Subject } from '../subject.ts'
import { stormSubjects } from '../subjects.ts'

const clientCounts: Readonly<Record<Profile, readonly number[]>> = {
  smoke: [50],
  quick: [1_000],
  full: [1_000, 3_000],
}

async function measure(subject: Subject, clients: number, replay: number, bench: Bench): Promise<Sample> {
  await using server = await subject.start(bench, { replay })
  const { result, use } = await runLoad(bench, server, {
    mode: 'storm',
    clients,
    replay,
    warmupMs: 0,
    windowMs: 30_000,
  })
  const totalMs = numberOf(result, 'windowMs')
  const unfinished = clients - numberOf(result, 'finished')
  return {
    values: {
      totalMs,
      livePerSecond: clients / (totalMs / 1_000),
      p50Ms: numberOf(result, 'p50Us') / 1_000,
      p99Ms: numberOf(result, 'p99Us') / 1_000,
      rssMiB: use.rssBytes / 1024 / 1024,
    },
    faults: [...faultsOf(result), ...(unfinished > 0 ? [`${unfinished} clients never live`] : [])],
    foreignShare: use.foreignShare,
    stolenShare: use.stolenShare,
    loadShare: numberOf(result, 'cpuShare'),
  }
}

/** Everybody comes back at once. */
export const storm: Scenario = {
  name: 'storm',
  title: 'Reconnect storm: all clients connect at once and catch up',
  method:
    'From the first connect until every client has upgraded and has all events that it missed (100 where it says so). ' +
    'At most 400 connections are between connect and live, so that the listen queue is not what is measured.',
  metrics: [
    { key: 'totalMs', title: 'all live after ms', digits: 0, ratio: true },
    { key: 'livePerSecond', title: 'live/s', digits: 0, ratio: false },
    { key: 'p50Ms', title: 'p50 ms', digits: 1, ratio: false },
    { key: 'p99Ms', title: 'p99 ms', digits: 1, ratio: false },
    { key: 'rssMiB', title: 'RSS MiB', digits: 0, ratio: false },
  ],
  durations: () => ({}),
  cells: (profile) =>
    clientCounts[profile].map((clients) => ({
      label: `${clients} clients`,
      contenders: stormSubjects.map(({ name, subject, replay }) => ({
        name,
        references: ['ws, upgrade only', 'ws, one shared buffer'].filter((reference) => reference !== name),
        measure: (bench) => measure(subject, clients, replay, bench),
      })),
    })),
}
