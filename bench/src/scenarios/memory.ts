import { numberOf, startChild, textOf } from '../child.ts'
import { loadArguments } from '../load.ts'
import type { Profile } from '../options.ts'
import { residentBytes, startGauge } from '../processor-time.ts'
import { faultsOf, type Sample } from '../sample.ts'
import type { Scenario } from '../scenario.ts'
import { type Bench, programPath, type Subject } from '../subject.ts'
import { memorySubjects } from '../subjects.ts'

const clientCounts: Readonly<Record<Profile, readonly number[]>> = { smoke: [50], quick: [1_000], full: [1_000, 3_000] }
const holdMs: Readonly<Record<Profile, number>> = { smoke: 300, quick: 2_000, full: 4_000 }
const looks = 4

/** The least of several looks, so that garbage about to be collected is not counted. */
async function settledBytes(pids: readonly number[], overMs: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let look = 0; look < looks; look++) {
    await new Promise((resolve) => setTimeout(resolve, overMs / looks))
    least = Math.min(least, residentBytes(pids))
  }
  return least
}

async function measure(subject: Subject, clients: number, heldMs: number, bench: Bench): Promise<Sample> {
  await using server = await subject.start(bench, { replay: 0 })
  const idleBytes = await settledBytes(server.pids, heldMs / 2)
  const plan = { mode: 'idle', clients, warmupMs: 0, windowMs: 0, holdMs: heldMs } as const
  await using load = startChild({
    command: programPath(bench.programs.wsload),
    arguments: loadArguments(plan, server),
    cpu: bench.loadCpu,
    signal: bench.signal,
  })
  const gauge = startGauge(server.pids)
  let line = await load.nextLine(30_000)
  while (textOf(line, 'phase') !== 'window' && textOf(line, 'phase') !== 'result') line = await load.nextLine(30_000)
  const heldBytes = await settledBytes(server.pids, heldMs * 0.75)
  const use = gauge.read()
  while (textOf(line, 'phase') !== 'result') line = await load.nextLine(heldMs + 30_000)
  return {
    values: {
      perConnectionKiB: (heldBytes - idleBytes) / clients / 1024,
      idleMiB: idleBytes / 1024 ** 2,
      heldMiB: heldBytes / 1024 ** 2,
      connectMs: numberOf(line, 'connectMs'),
    },
    faults: faultsOf(line),
    foreignShare: use.foreignShare,
    stolenShare: use.stolenShare,
    loadShare: numberOf(line, 'cpuShare'),
  }
}

/** What a connection costs that does nothing. */
export const memory: Scenario = {
  name: 'memory',
  title: 'Memory of an idle connection',
  method:
    'Resident memory of the server with N idle followers, less what it had before the first, divided by N; the least ' +
    'of four looks each. No garbage collection is forced.',
  metrics: [
    { key: 'perConnectionKiB', title: 'KiB/connection', digits: 1, ratio: true },
    { key: 'idleMiB', title: 'before, MiB', digits: 0, ratio: false },
    { key: 'heldMiB', title: 'with N, MiB', digits: 0, ratio: false },
    { key: 'connectMs', title: 'connected after ms', digits: 0, ratio: false },
  ],
  durations: (profile) => ({ held: holdMs[profile] }),
  cells: (profile) =>
    clientCounts[profile].map((clients) => ({
      label: `N = ${clients}`,
      contenders: memorySubjects.map((subject) => ({
        name: subject.name,
        references: ['ws, naive', 'socket.io 4, recovery'].filter((name) => name !== subject.name),
        measure: (bench) => measure(subject, clients, holdMs[profile], bench),
      })),
    })),
}
