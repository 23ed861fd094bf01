import type { CellReport, ContenderReport, Run, ScenarioReport } from './report.ts'
import type { Metric } from './scenario.ts'
import type { Spread } from './statistics.ts'
import { ratioOf } from './summary.ts'

/** Everything that one run found, as Markdown tables with every metric and ratio: for who ran it. */
export function formatRun(run: Run): string {
  return [
    ...Object.entries(run.machine).map(([name, value]) => `- ${name}: ${value}`),
    '',
    ...run.scenarios.flatMap(formatScenario),
  ].join('\n')
}

function formatScenario(scenario: ScenarioReport): string[] {
  return [
    `## ${scenario.title}`,
    '',
    scenario.method,
    '',
    ...scenario.cells.flatMap((cell) => formatCell(cell, scenario.metrics)),
  ]
}

function formatCell(cell: CellReport, metrics: readonly Metric[]): string[] {
  const columns = ratioColumns(cell, metrics)
  const head = ['', ...metrics.map(({ title }) => title), ...columns.map(({ title }) => title), '']
  return [
    `### ${cell.label}`,
    '',
    ...tableHead(head),
    ...cell.contenders.map((contender) =>
      tableRow([
        contender.name,
        ...metrics.map((metric) => formatSpread(contender.values[metric.key], metric.digits)),
        ...columns.map(({ metric, reference }) => formatSpread(ownRatio(cell, contender, reference, metric), 2)),
        remarksOf(contender).join('; '),
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
function ratioColumns(cell: CellReport, metrics: readonly Metric[]): RatioColumn[] {
  const compared = metrics.filter(({ ratio }) => ratio)
  return compared.flatMap(({ key, title }) =>
    cell.contenders
      .filter(({ name }) => cell.contenders.some((contender) => ownRatio(cell, contender, name, key) !== undefined))
      .map(({ name }) => ({
        metric: key,
        reference: name,
        title: `${compared.length > 1 ? `${title} ` : ''}÷ ${name}`,
      })),
  )
}

function ownRatio(cell: CellReport, contender: ContenderReport, reference: string, metric: string): Spread | undefined {
  return contender.references.includes(reference) ? ratioOf(cell, contender, reference, metric) : undefined
}

/** What must be known of a row beside its numbers. */
export function remarksOf({ absent, notes, faults }: ContenderReport): string[] {
  return [...(absent === undefined ? [] : [`left out: ${absent}`]), ...notes, ...faults.map((fault) => `**${fault}**`)]
}

/** The first two lines of a table: so many columns from the left, and the last, hold words; the others numbers. */
export function tableHead(cells: readonly string[], wordColumns = 1): string[] {
  const marks = cells.map((_, index) => (index < wordColumns || index === cells.length - 1 ? '---' : '---:'))
  return [tableRow(cells), tableRow(marks)]
}

/** A line of a table. */
export function tableRow(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

/** `median [least–most]`, or a dash. */
export function formatSpread(spread: Spread | undefined, digits: number): string {
  if (spread === undefined) return '–'
  const { median, min, max } = spread
  return `${formatNumber(median, digits)} [${formatNumber(min, digits)}–${formatNumber(max, digits)}]`
}

/** Of thousands nobody reads more than three digits. */
const largeDigits = 3

function formatNumber(value: number, digits: number): string {
  if (digits === 0 && value >= 1_000) return value.toLocaleString('en-US', { maximumSignificantDigits: largeDigits })
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
