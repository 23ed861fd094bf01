import type { Profile } from './options.ts'
import type { CellReport, ContenderReport, Measured, ScenarioReport } from './report.ts'
import { maxForeignShare, type CellResult, type ContenderResult } from './rounds.ts'
import type { Metric, Scenario } from './scenario.ts'
import { type Spread, spreadOf } from './statistics.ts'

/** From here on the load process itself may be what is measured. */
const loadBoundShare = 0.95
/** More digits than a measurement has. */
const keptDigits = 5

/** Everything that a scenario measured, as it stands in a report. */
export function summarize(
  scenario: Scenario,
  profile: Profile,
  tookMs: number,
  cells: readonly CellResult[],
): ScenarioReport {
  const { name, title, method, metrics } = scenario
  return {
    name,
    title,
    method,
    durations: scenario.durations(profile),
    tookMs: Math.round(tookMs),
    metrics,
    cells: cells.map(({ label, contenders }) => ({
      label,
      contenders: contenders.map((contender) => summarizeContender(contender, metrics)),
    })),
  }
}

function summarizeContender(contender: ContenderResult, metrics: readonly Metric[]): ContenderReport {
  const values = metrics.flatMap(({ key }) => {
    const rounds = contender.samples.map((sample) => keep(sample.values[key]))
    const spread = spreadOf(rounds.filter((value) => value !== null))
    const measured: Measured | undefined = spread === undefined ? undefined : { ...keepSpread(spread), rounds }
    return measured === undefined ? [] : [[key, measured] as const]
  })
  const loadShare = spreadOf(contender.samples.map((sample) => sample.loadShare))?.median ?? 0
  const foreignShares = contender.samples.map(({ foreignShare }) => keep(foreignShare) ?? 0)
  const stolen = spreadOf(contender.samples.map((sample) => sample.stolenShare))?.median ?? 0
  const noisy = foreignShares.filter((share) => share > maxForeignShare)
  const loadBound = loadShare >= loadBoundShare
  return {
    name: contender.name,
    references: contender.references,
    samples: contender.samples.length,
    values: Object.fromEntries(values),
    notes: [
      ...(contender.discarded > 0 ? [`${contender.discarded} discarded`] : []),
      ...(noisy.length > 0
        ? [`noisy in ${noisy.length} of ${foreignShares.length} (up to ${percent(Math.max(...noisy))})`]
        : []),
      ...(stolen > maxForeignShare ? [`the host took ${percent(stolen)} of a processor`] : []),
      ...(loadBound ? [`the load process was the limit (${percent(loadShare)})`] : []),
    ],
    loadBound,
    foreignShares,
    faults: [...new Set(contender.samples.flatMap((sample) => sample.faults))],
    ...(contender.absent === undefined ? {} : { absent: contender.absent }),
  }
}

function keep(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : Number(value.toPrecision(keptDigits))
}

function keepSpread({ median, min, max }: Spread): Spread {
  return { median: keep(median) ?? median, min, max }
}

/** A contender's values beside a reference's, round by round; undefined where no round has both. */
export function ratioOf(
  cell: CellReport,
  contender: ContenderReport,
  reference: string,
  metric: string,
): Spread | undefined {
  const other = cell.contenders.find(({ name }) => name === reference)?.values[metric]?.rounds ?? []
  const ratios = (contender.values[metric]?.rounds ?? []).flatMap((own, round) => {
    const divisor = other[round] ?? 0
    return own === null || divisor === 0 ? [] : [own / divisor]
  })
  return spreadOf(ratios)
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
