import { compareWithGoals, type GoalResult } from './compare.ts'
import type { CellReport, Report, Run, ScenarioReport } from './report.ts'
import { formatSpread, remarksOf, tableHead, tableRow } from './tables.ts'

// The part of docs/performance.md that is made from a report. Nothing in it is written by hand.

/** Stands before what is generated. */
export const opening = '<!-- from here on made by `npm run bench:table`; what is changed by hand is lost -->'
/** Stands behind what is generated. */
export const closing = '<!-- to here made by `npm run bench:table` -->'

/** The page with the part between its marks replaced. Throws where it has no marks. */
export function replaceGenerated(page: string, report: Report): string {
  const [before, rest] = page.split(opening)
  const after = rest?.split(closing)[1]
  if (before === undefined || after === undefined) throw new Error('the page has no marks for what is generated')
  return `${before}${opening}\n\n${renderReport(report)}\n${closing}${after}`
}

/** Goals, tables and runs of a report, as Markdown. */
export function renderReport(report: Report): string {
  return [
    ...renderGoals(compareWithGoals(report)),
    ...report.runs.flatMap((run, index) => run.scenarios.flatMap((scenario) => renderScenario(scenario, index + 1))),
    ...renderRuns(report.runs),
  ].join('\n')
}

function renderGoals(goals: readonly GoalResult[]): string[] {
  const count = (verdict: GoalResult['verdict']): number => goals.filter((goal) => goal.verdict === verdict).length
  const counted = (['met', 'missed', 'not decided', 'not measured'] as const).map((name) => `${count(name)} ${name}`)
  return [
    '## Goals',
    '',
    `${counted.join(', ')}.`,
    '',
    tableRow(['goal', 'what', 'wanted', 'reached', 'verdict', 'remarks']),
    tableRow(['---', '---', '---:', '---:', '---', '---']),
    ...goals.map((goal) =>
      tableRow([
        goal.id,
        goal.what,
        goal.wanted,
        goal.id === 'G17' && goal.reached !== undefined
          ? String(goal.reached.median)
          : formatSpread(goal.reached, goal.digits),
        goal.verdict === 'missed' ? '**missed**' : goal.verdict,
        goal.remarks.join('; '),
      ]),
    ),
    '',
  ]
}

function renderScenario(scenario: ScenarioReport, run: number): string[] {
  const durations = Object.entries(scenario.durations).map(([name, ms]) => `${name} ${ms / 1_000} s`)
  return [
    `## ${scenario.title}`,
    '',
    `${scenario.method} ${[`Run ${run}`, ...durations].join(', ')}.`,
    '',
    ...(hasSameRows(scenario.cells) ? renderSideBySide(scenario) : renderList(scenario)),
  ]
}

function hasSameRows(cells: readonly CellReport[]): boolean {
  const names = cells.map(({ contenders }) => contenders.map(({ name }) => name).join('\n'))
  return cells.length > 1 && new Set(names).size === 1
}

/** A table for each metric that is compared: contenders below each other, cells beside each other. */
function renderSideBySide({ cells, metrics }: ScenarioReport): string[] {
  const names = cells[0]?.contenders.map(({ name }) => name) ?? []
  return metrics
    .filter(({ ratio }) => ratio)
    .flatMap((metric) => [
      ...tableHead([metric.title, ...cells.map(({ label }) => label), 'remarks']),
      ...names.map((name, index) =>
        tableRow([
          name,
          ...cells.map(({ contenders }) => formatSpread(contenders[index]?.values[metric.key], metric.digits)),
          cells.flatMap((cell) => remarksInCell(cell, index)).join('; '),
        ]),
      ),
      '',
    ])
}

function remarksInCell(cell: CellReport, index: number): string[] {
  const contender = cell.contenders[index]
  const remarks = contender === undefined ? [] : remarksOf(contender)
  return remarks.length === 0 ? [] : [`${cell.label}: ${remarks.join(', ')}`]
}

/** One table with every metric. */
function renderList({ cells, metrics }: ScenarioReport): string[] {
  const several = cells.length > 1
  return [
    ...tableHead(['', ...(several ? ['cell'] : []), ...metrics.map(({ title }) => title), 'remarks'], several ? 2 : 1),
    ...cells.flatMap(({ label, contenders }) =>
      contenders.map((contender) =>
        tableRow([
          contender.name,
          ...(several ? [label] : []),
          ...metrics.map(({ key, digits }) => formatSpread(contender.values[key], digits)),
          remarksOf(contender).join('; '),
        ]),
      ),
    ),
    '',
  ]
}

function renderRuns(runs: readonly Run[]): string[] {
  const first = runs[0]?.machine
  return [
    '## Runs',
    '',
    ...runs.flatMap((run, index) => [
      `**Run ${index + 1}**, begun ${run.startedAt}, commit ${run.commit}${run.changed ? ' with changes' : ''}, ` +
        `${run.profile === 'full' ? 'full' : 'short'} windows, ${run.repeats} rounds, ${formatTook(run)}` +
        (index === 0 ? ':' : '; the machine of run 1, but for what is named here:'),
      '',
      ...Object.entries(run.machine)
        .filter(([name, value]) => index === 0 || first?.[name] !== value)
        .map(([name, value]) => `- ${name}: ${value}`),
      `- noise: a round counts for no verdict where others used more than ${run.maxForeignShare * 100} % of a processor ` +
        `during its sample${run.profile === 'full' ? ', which was taken up to three times' : ''}`,
      '',
    ]),
  ]
}

function formatTook({ scenarios }: Run): string {
  const seconds = scenarios.reduce((sum, { tookMs }) => sum + tookMs, 0) / 1_000
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`
}
