import { numberOf } from '../child.ts'
import { type LoadPlan, runLoad } from '../load.ts'
import type { Profile } from '../options.ts'
import { faultsOf, type Sample } from '../sample.ts'
import { type Cell, durationsOf, type Metric, type Scenario } from '../scenario.ts'
import type { Bench, Subject } from '../subject.ts'
import { fanoutSubjects } from '../subjects.ts'

const references: readonly string[] = [
  'bare C, one send each',
  'bare C, coalesced',
  'ws, naive',
  'ws, coalesced',
  'socket.io 4, recovery',
]

const clientCounts: Readonly<Record<Profile, readonly number[]>> = {
  smoke: [10],
  quick: [100],
  full: [10, 100, 1_000],
}

/** About 1,024 deliveries in flight, and never fewer than 4 broadcasts. */
export function windowFor(clients: number): number {
  return Math.max(4, Math.min(256, Math.floor(1_024 / clients)))
}

const timing: Readonly<Record<Profile, { warmupMs: number; windowMs: number }>> = {
  smoke: { warmupMs: 100, windowMs: 300 },
  quick: { warmupMs: 2_000, windowMs: 1_000 },
  full: { warmupMs: 3_000, windowMs: 2_000 },
}

async function measure(subject: Subject, plan: LoadPlan, bench: Bench): Promise<Sample> {
  await using server = await subject.start(bench, { replay: 0 })
  const { result, use } = await runLoad(bench, server, plan)
  return {
    values: {
      deliveriesPerSecond: numberOf(result, 'deliveriesPerSecond'),
      p50Ms: numberOf(result, 'p50Us') / 1_000,
      p99Ms: numberOf(result, 'p99Us') / 1_000,
      eventsPerMessage: numberOf(result, 'eventsPerMessage'),
      bytesPerDelivery: numberOf(result, 'bytesPerDelivery'),
      serverShare: use.watchedShare,
      rssMiB: use.rssBytes / 1024 / 1024,
    },
    faults: faultsOf(result),
    foreignShare: use.foreignShare,
    stolenShare: use.stolenShare,
    loadShare: numberOf(result, 'cpuShare'),
  }
}

function cells(profile: Profile, planFor: (clients: number) => LoadPlan): readonly Cell[] {
  return clientCounts[profile].map((clients) => ({
    label: `N = ${clients}`,
    contenders: fanoutSubjects.map((subject) => ({
      name: subject.name,
      references: references.filter((name) => name !== subject.name),
      measure: (bench) => measure(subject, planFor(clients), bench),
    })),
  }))
}

const deliveries: Metric = { key: 'deliveriesPerSecond', title: 'deliveries/s', digits: 0, ratio: true }
const rest: readonly Metric[] = [
  { key: 'eventsPerMessage', title: 'events/message', digits: 1, ratio: false },
  { key: 'bytesPerDelivery', title: 'bytes/delivery', digits: 0, ratio: false },
  { key: 'serverShare', title: 'server CPU', digits: 2, ratio: false },
  { key: 'rssMiB', title: 'RSS MiB', digits: 0, ratio: false },
]

/** Deliveries a second when the publisher never waits. */
export const fanout: Scenario = {
  name: 'fanout',
  title: 'Fan-out at saturation: one publisher, N followers',
  method:
    'Closed loop: about 1,024 deliveries in flight (102, 10, 4 broadcasts for N = 10, 100, 1,000). Latency from the ' +
    'publish call until that follower has parsed the event. Events of 300 bytes as published.',
  metrics: [
    deliveries,
    { key: 'p50Ms', title: 'p50 ms', digits: 2, ratio: false },
    { key: 'p99Ms', title: 'p99 ms', digits: 2, ratio: false },
    ...rest,
  ],
  durations: (profile) => durationsOf(timing[profile]),
  cells: (profile) =>
    cells(profile, (clients) => ({
      mode: 'saturate',
      clients,
      window: windowFor(clients),
      ...timing[profile],
    })),
}

/** Deliveries a second of all followers together, in paced runs. */
const pacedDeliveriesPerSecond = 20_000
/** In a smoke run nothing is timed: so slow that a machine which stands still for a second is no fault of a server. */
const smokeDeliveriesPerSecond = 1_000

/** Latency when the publisher keeps to a schedule. */
export const latency: Scenario = {
  name: 'latency',
  title: 'Latency on a schedule: 20,000 deliveries a second',
  method:
    'Open loop: events are published on a fixed schedule and stamped with the time at which they were due, so that a ' +
    'server that falls behind shows it. Latency until that follower has parsed the event.',
  metrics: [
    { key: 'p50Ms', title: 'p50 ms', digits: 3, ratio: true },
    { key: 'p99Ms', title: 'p99 ms', digits: 2, ratio: true },
    { ...deliveries, ratio: false },
    ...rest,
  ],
  durations: (profile) => durationsOf(timing[profile]),
  cells: (profile) =>
    cells(profile, (clients) => ({
      mode: 'paced',
      clients,
      rate: (profile === 'smoke' ? smokeDeliveriesPerSecond : pacedDeliveriesPerSecond) / clients,
      ...timing[profile],
      ...(profile === 'full' && clients >= 1_000 ? { windowMs: 2_500 } : {}),
    })),
}
