import { readdirSync } from 'node:fs'
import { numberOf } from '../child.ts'
import { runLoad } from '../load.ts'
import type { Profile } from '../options.ts'
import { residentBytes } from '../processor-time.ts'
import { faultsOf, type Sample } from '../sample.ts'
import type { Scenario } from '../scenario.ts'
import type { Bench, RunningSubject, Subject } from '../subject.ts'
import { leakSubjects } from '../subjects.ts'

/** Connections of one wave: they come at once, are live, and go at once. */
const waveClients: Readonly<Record<Profile, number>> = { smoke: 50, quick: 500, full: 1_000 }
const waves: Readonly<Record<Profile, number>> = { smoke: 4, quick: 10, full: 100 }
/** By then pools and caches have grown as far as these waves make them. */
const settledShare = 0.2
const looks = 4
const lookMs: Readonly<Record<Profile, number>> = { smoke: 50, quick: 250, full: 1_000 }

interface Held {
  bytes: number
  descriptors: number
}

/** What it holds with nobody connected: the least of several looks, so that garbage about to be collected is not counted. */
async function heldBy({ pids }: RunningSubject, overMs: number): Promise<Held> {
  let held: Held = { bytes: Number.POSITIVE_INFINITY, descriptors: Number.POSITIVE_INFINITY }
  for (let look = 0; look < looks; look++) {
    await new Promise((resolve) => setTimeout(resolve, overMs))
    held = {
      bytes: Math.min(held.bytes, residentBytes(pids)),
      descriptors: Math.min(held.descriptors, descriptorsOf(pids)),
    }
  }
  return held
}

function descriptorsOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0)
}

async function measure(subject: Subject, profile: Profile, bench: Bench): Promise<Sample> {
  const clients = waveClients[profile]
  const count = waves[profile]
  const settledAt = Math.max(1, Math.round(count * settledShare))
  await using server = await subject.start(bench, { replay: 0 })
  const faults: string[] = []
  let settled: Held | undefined
  let connectedMs = 0
  let foreignShare = 0
  let stolenShare = 0
  let loadShare = 0
  for (let wave = 1; wave <= count; wave++) {
    const plan = { mode: 'storm', clients, replay: 0, warmupMs: 0, windowMs: 30_000 } as const
    const { result, use } = await runLoad(bench, server, plan)
    connectedMs += numberOf(result, 'windowMs')
    const unfinished = clients - numberOf(result, 'finished')
    faults.push(...faultsOf(result), ...(unfinished > 0 ? [`${unfinished} clients never live in wave ${wave}`] : []))
    foreignShare = Math.max(foreignShare, use.foreignShare)
    stolenShare = Math.max(stolenShare, use.stolenShare)
    loadShare = Math.max(loadShare, numberOf(result, 'cpuShare'))
    if (wave === settledAt) settled = await heldBy(server, lookMs[profile])
  }
  const last = await heldBy(server, lookMs[profile])
  const from = settled ?? last
  return {
    values: {
      connections: clients * count,
      growthMiB: (last.bytes - from.bytes) / 1024 ** 2,
      moreDescriptors: last.descriptors - from.descriptors,
      endMiB: last.bytes / 1024 ** 2,
      perSecond: (clients * count) / (connectedMs / 1_000),
    },
    faults: [...new Set(faults)].slice(0, 5),
    foreignShare,
    stolenShare,
    loadShare,
  }
}

/** What is left of connections that are gone. */
export const leak: Scenario = {
  name: 'leak',
  title: 'What is left of connections that came and went',
  method:
    'Waves of clients that all connect, are live, and are gone. Growth is the resident memory with nobody connected after the ' +
    'last wave, less that after a fifth of the waves; the least of four looks each. No garbage collection is forced.',
  metrics: [
    { key: 'growthMiB', title: 'growth MiB', digits: 1, ratio: false },
    { key: 'moreDescriptors', title: 'descriptors more', digits: 0, ratio: false },
    { key: 'connections', title: 'connections', digits: 0, ratio: false },
    { key: 'endMiB', title: 'at the end, MiB', digits: 0, ratio: false },
    { key: 'perSecond', title: 'live/s', digits: 0, ratio: true },
  ],
  durations: () => ({}),
  cells: (profile) => [
    {
      label: `${waves[profile]} waves`,
      contenders: leakSubjects.map((subject) => ({
        name: subject.name,
        references: ['ws, naive'].filter((name) => name !== subject.name),
        measure: (bench) => measure(subject, profile, bench),
      })),
    },
  ],
}
