import { maxForeignShare, type CellResult, type ContenderResult } from './rounds.ts'
import type { Metric, Scenario } from './scenario.ts'
import { type Spread, spreadOf } from './statistics.ts'

/** From here on the load process itself may be what is measured. */
const loadBoundShare = 0.95

export interface RatioSummary {
  metric: string
  reference: string
  /** Of the ratios of the samples of one round, not of the medians. */
  ratio: Spread
}

export interface ContenderSummary {
  name: string
  samples: number
  metrics: Readonly<Record<string, Spread>>
  ratios: readonly RatioSummary[]
  /** Everything that a reader must know beside the numbers. */
  notes: readonly string[]
  faults: readonly string[]
  absent: boolean
}

export interface CellSummary {
  label: string
  contenders: readonly ContenderSummary[]
}

export interface ScenarioSummary {
  name: string
  title: string
  method: string
  metrics: readonly Metric[]
  cells: readonly CellSummary[]
}

/** Medians, spreads and ratios of everything that a scenario measured. */
export function summarize(scenario: Scenario, cells: readonly CellResult[]): ScenarioSummary {
  const { name, title, method, metrics } = scenario
  return {
    name,
    title,
    method,
    metrics,
    cells: cells.map((cell) => ({
      label: cell.label,
      contenders: cell.contenders.map((contender) => summarizeContender(contender, cell, metrics)),
    })),
  }
}

function summarizeContender(
  contender: ContenderResult,
  cell: CellResult,
  metrics: readonly Metric[],
): ContenderSummary {
  const spreads = metrics.flatMap(({ key }) => {
    const spread = spreadOf(contender.samples.flatMap((sample) => sample.values[key] ?? []))
    return spread === undefined ? [] : [[key, spread] as const]
  })
  const faults = [...new Set(contender.samples.flatMap((sample) => sample.faults))]
  return {
    name: contender.name,
    samples: contender.samples.length,
    metrics: Object.fromEntries(spreads),
    ratios: metrics.filter(({ ratio }) => ratio).flatMap(({ key }) => ratiosOf(contender, cell, key)),
    notes: [...notesOf(contender), ...faults.map((fault) => `**${fault}**`)],
    faults,
    absent: contender.samples.length === 0,
  }
}

function ratiosOf(contender: ContenderResult, cell: CellResult, metric: string): RatioSummary[] {
  return contender.references.flatMap((name) => {
    const reference = cell.contenders.find((other) => other.name === name)
    const pairs = contender.samples.flatMap((sample, round) => {
      const own = sample.values[metric]
      const other = reference?.samples[round]?.values[metric]
      return own === undefined || other === undefined || other === 0 ? [] : [own / other]
    })
    const ratio = spreadOf(pairs)
    return ratio === undefined ? [] : [{ metric, reference: name, ratio }]
  })
}

function notesOf(contender: ContenderResult): string[] {
  const loadShare = spreadOf(contender.samples.map((sample) => sample.loadShare))?.median ?? 0
  const stolen = spreadOf(contender.samples.map((sample) => sample.stolenShare))?.median ?? 0
  const foreign = Math.max(0, ...contender.samples.map((sample) => sample.foreignShare))
  return [
    ...(contender.absent === undefined ? [] : [`left out: ${contender.absent}`]),
    ...(contender.discarded > 0 ? [`${contender.discarded} discarded`] : []),
    ...(contender.noisy ? [`noisy: others used ${percent(foreign)} (gate ${percent(maxForeignShare)})`] : []),
    ...(stolen > maxForeignShare ? [`the host took ${percent(stolen)} of a processor`] : []),
    ...(loadShare >= loadBoundShare ? [`the load process was the limit (${percent(loadShare)})`] : []),
  ]
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
