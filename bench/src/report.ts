import { readFileSync } from 'node:fs'
import type { Machine } from './machine.ts'
import type { Profile } from './options.ts'
import type { Metric } from './scenario.ts'
import type { Spread } from './statistics.ts'

/** Changes when a report of before could be misread. */
const reportFormat = 1

/** What the bench found, as it is written to a file: every number of every round, nothing rounded away that matters. */
export interface Report {
  format: number
  /** A report that was put together from several runs names each; a scenario is in one of them only. */
  runs: readonly Run[]
}

/** One run of the bench. */
export interface Run {
  /** When it began. */
  startedAt: string
  commit: string
  /** Whether files differed from the commit. */
  changed: boolean
  profile: Profile
  /** Accepted samples for each contender of each cell. */
  repeats: number
  /** The names that `--only` let through; empty: everybody took part. */
  only: readonly string[]
  /** A sample was discarded when others used more than this share of a processor meanwhile. */
  maxForeignShare: number
  machine: Machine
  scenarios: readonly ScenarioReport[]
}

export interface ScenarioReport {
  name: string
  title: string
  method: string
  /** How long a sample was measured and the like, in milliseconds. */
  durations: Readonly<Record<string, number>>
  tookMs: number
  metrics: readonly Metric[]
  cells: readonly CellReport[]
}

export interface CellReport {
  label: string
  contenders: readonly ContenderReport[]
}

export interface ContenderReport {
  name: string
  /** Contenders of the same cell whose values its own are divided by, round by round. */
  references: readonly string[]
  samples: number
  /** By the keys of the scenario's metrics. */
  values: Readonly<Record<string, Measured>>
  /** Everything that a reader must know beside the numbers. */
  notes: readonly string[]
  /** Whether the load process may have been what was measured. */
  loadBound: boolean
  /** In each round: processor time that others used, in processors. */
  foreignShares: readonly number[]
  /** What must not happen; empty while all is well. */
  faults: readonly string[]
  /** Why there is no number. */
  absent?: string
}

/** A number in each round, null where there was none, and the spread of those that are. */
export interface Measured extends Spread {
  rounds: readonly (number | null)[]
}

/** A report of nothing. */
export const noReport: Report = { format: reportFormat, runs: [] }

/** A report of one run. */
export function reportOf(run: Run): Report {
  return { format: reportFormat, runs: [run] }
}

/** Runs of several reports as one; a scenario that is in both is taken from the later report. */
export function mergeReports(earlier: Report, later: Report): Report {
  const names = new Set(later.runs.flatMap(({ scenarios }) => scenarios.map(({ name }) => name)))
  const kept = earlier.runs
    .map((run) => ({ ...run, scenarios: run.scenarios.filter(({ name }) => !names.has(name)) }))
    .filter(({ scenarios }) => scenarios.length > 0)
  return { format: reportFormat, runs: [...kept, ...later.runs] }
}

/** Reads a report. Throws where it is of another format. */
export function readReport(path: string): Report {
  const report = JSON.parse(readFileSync(path, 'utf8')) as Report
  if (report.format !== reportFormat)
    throw new Error(`${path} is a report of format ${report.format}, not ${reportFormat}`)
  return report
}

/** Characters of a line in the file. */
const lineChars = 160

/** The report as JSON for people too: what fits on a line stands on one. */
export function formatReport(report: Report): string {
  return `${stringify(report, '')}\n`
}

function stringify(value: unknown, indent: string): string {
  const flat = JSON.stringify(value)
  if (typeof value !== 'object' || value === null || indent.length + flat.length <= lineChars) return flat
  const deeper = `${indent}  `
  if (Array.isArray(value)) {
    const parts = value.map((part) => `${deeper}${stringify(part, deeper)}`)
    return `[\n${parts.join(',\n')}\n${indent}]`
  }
  const parts = Object.entries(value)
    .filter(([, part]) => part !== undefined)
    .map(([key, part]) => `${deeper}${JSON.stringify(key)}: ${stringify(part, deeper)}`)
  return `{\n${parts.join(',\n')}\n${indent}}`
}
