import { spreadOf } from '../src/statistics.ts'
import type { ContenderReport, Measured, Report, ScenarioReport } from '../src/report.ts'

/** Values of rounds with their spread. */
export function measured(...rounds: readonly (number | null)[]): Measured {
  const spread = spreadOf(rounds.filter((value) => value !== null))
  if (spread === undefined) throw new RangeError('no round has a value')
  return { ...spread, rounds }
}

/** A row without faults and without remarks. */
export function contender(name: string, values: ContenderReport['values']): ContenderReport {
  return { name, references: [], samples: 3, values, notes: [], loadBound: false, foreignShares: [0, 0, 0], faults: [] }
}

/** A report of one full run with these scenarios. */
export function fixedReport(...scenarios: readonly ScenarioReport[]): Report {
  return {
    format: 1,
    runs: [
      {
        startedAt: '2026-01-02T03:04:05.678Z',
        commit: '0123456789ab',
        changed: false,
        profile: 'full',
        repeats: 3,
        only: [],
        maxForeignShare: 0.16,
        machine: { processor: 'one that is described here', node: 'v24.0.0' },
        scenarios,
      },
    ],
  }
}

/** Fan-out with 100 followers: our deliveries a second beside those of bare C and socket.io. */
export function fanoutOf(
  ours: Measured,
  bareC: Measured,
  socketIo: Measured,
): ScenarioReport & { cells: [{ label: string; contenders: ContenderReport[] }] } {
  return {
    name: 'fanout',
    title: 'Fan-out',
    method: 'As fast as it goes.',
    durations: { 'warm-up': 3_000, window: 2_000 },
    tookMs: 60_000,
    metrics: [
      { key: 'deliveriesPerSecond', title: 'deliveries/s', digits: 0, ratio: true },
      { key: 'p50Ms', title: 'p50 ms', digits: 2, ratio: false },
    ],
    cells: [
      {
        label: 'N = 100',
        contenders: [
          contender('bare C, one send each', { deliveriesPerSecond: bareC, p50Ms: measured(4, 4.5, 5) }),
          contender('socket.io 4, recovery', { deliveriesPerSecond: socketIo }),
          contender('hotline', { deliveriesPerSecond: ours, p50Ms: measured(0.5, 0.625, 0.75) }),
        ],
      },
    ],
  }
}
