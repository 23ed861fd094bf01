import type { GoalResult } from './goals.ts'
import type { Machine } from './machine.ts'
import type { Metric } from './scenario.ts'
import type { CellSummary, ContenderSummary, ScenarioSummary } from './summary.ts'
import type { Spread } from './statistics.ts'

/** Everything that one run of the bench found. */
export interface Report {
  machine: Machine
  /** How noise was treated, in a sentence. */
  gate: string
  scenarios: readonly ScenarioSummary[]
  goals: readonly GoalResult[]
}

/** The report as Markdown. */
export function formatReport(report: Report): string {
  return [
    ...formatMachine(report.machine),
    report.gate,
    '',
    ...report.scenarios.flatMap(formatScenario),
    ...(report.goals.length === 0 ? [] : formatGoals(report.goals)),
  ].join('\n')
}

function formatMachine(machine: Machine): string[] {
  return ['## Machine', '', ...Object.entries(machine).map(([name, value]) => `- ${name}: ${value}`), '']
}

function formatScenario(scenario: ScenarioSummary): string[] {
  return [
    `## ${scenario.title}`,
    '',
    scenario.method,
    '',
    ...scenario.cells.flatMap((cell) => formatCell(cell, scenario.metrics)),
  ]
}

function formatCell(cell: CellSummary, metrics: readonly Metric[]): string[] {
  const columns = ratioColumns(cell, metrics)
  const head = ['', ...metrics.map(({ title }) => title), ...columns.map(({ title }) => title), '']
  return [
    `### ${cell.label}`,
    '',
    row(head),
    row(head.map((_, index) => (index === 0 || index === head.length - 1 ? '---' : '---:'))),
    ...cell.contenders.map((contender) =>
      row([
        contender.name,
        ...metrics.map((metric) => formatSpread(contender.metrics[metric.key], metric.digits)),
        ...columns.map(({ metric, reference }) => formatSpread(ratioOf(contender, metric, reference), 2)),
        contender.notes.join('; '),
      ]),
    ),
    '',
  ]
}

interface RatioColumn {
  metric: string
  reference: string
  title: string
}

/** In the order of the metrics, and within one in the order of the rows. */
function ratioColumns(cell: CellSummary, metrics: readonly Metric[]): RatioColumn[] {
  const compared = metrics.filter(({ ratio }) => ratio)
  return compared.flatMap(({ key, title }) =>
    cell.contenders
      .filter(({ name }) => cell.contenders.some((contender) => ratioOf(contender, key, name) !== undefined))
      .map(({ name }) => ({
        metric: key,
        reference: name,
        title: `${compared.length > 1 ? `${title} ` : ''}÷ ${name}`,
      })),
  )
}

function ratioOf(contender: ContenderSummary, metric: string, reference: string): Spread | undefined {
  return contender.ratios.find((ratio) => ratio.metric === metric && ratio.reference === reference)?.ratio
}

function formatGoals(goals: readonly GoalResult[]): string[] {
  return [
    '## Goals',
    '',
    row(['', 'what', 'goal', 'reached', '']),
    row(['---', '---', '---', '---:', '---']),
    ...goals.map(({ id, what, goal, reached, met }) =>
      row([id, what, goal, reached === undefined ? 'not measured' : formatNumber(reached, 2), verdict(met)]),
    ),
    '',
  ]
}

function verdict(met: boolean | undefined): string {
  return met === undefined ? '' : met ? 'met' : '**missed**'
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

function formatSpread(spread: Spread | undefined, digits: number): string {
  if (spread === undefined) return '–'
  const { median, min, max } = spread
  return `${formatNumber(median, digits)} [${formatNumber(min, digits)}–${formatNumber(max, digits)}]`
}

function formatNumber(value: number, digits: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
