import { type At, type Bound, goals, type MeasuredGoal, type OpenGoal, ours } from './goals.ts'
import type { Report, Run, ScenarioReport } from './report.ts'
import { type Spread, spreadOf } from './statistics.ts'

/** A goal beside what was reached. */
export interface GoalResult {
  id: string
  what: string
  wanted: string
  /** Over the rounds; undefined where it was not measured. */
  reached: Spread | undefined
  digits: number
  verdict: Verdict
  /** What must be known of the number, or why there is none. */
  remarks: readonly string[]
}

/** `not decided`: quiet rounds lie on both sides of the goal, or they are too few. `no goal`: shown for comparison. */
export type Verdict = 'met' | 'missed' | 'not decided' | 'not measured' | 'no goal'

/** Fewer rounds in which others left the machine alone decide nothing. */
const leastRounds = 3

// Remarks on numbers, which mean nothing where there is none.
const shortWindows = 'short windows'
const loadBound = 'the load process was the limit'
const ofNumbers: readonly string[] = [shortWindows]

/** Compares what a report holds with the goals. Every goal has a row, measured or not. */
export function compareWithGoals(report: Report): GoalResult[] {
  const results = goals.map((goal) => ('reason' in goal ? openResult(goal) : measuredResult(goal, report)))
  const behind = results.findIndex(({ id }) => id === 'G18')
  return results.toSpliced(behind, 0, lossResult(report))
}

function openResult({ id, what, bound, reason }: OpenGoal): GoalResult {
  return {
    id,
    what,
    wanted: wantedText(bound),
    reached: undefined,
    digits: 2,
    verdict: 'not measured',
    remarks: [reason],
  }
}

function measuredResult({ id, what, bound, nature, digits, reach }: MeasuredGoal, report: Report): GoalResult {
  const remarks = new Set<string>()
  const repeats = Math.max(0, ...report.runs.map((run) => run.repeats))
  const rounds = Array.from({ length: repeats }, (_, round) => lookUp(report, round, remarks)).flatMap((look) => {
    const value = reach(look.at)
    return value === undefined ? [] : [{ value, quiet: nature === 'size' || look.isQuiet() }]
  })
  const quiet = rounds.filter((round) => round.quiet)
  if (quiet.length < rounds.length)
    remarks.add(`others were busy in ${rounds.length - quiet.length} of ${rounds.length} rounds`)
  return {
    id,
    what,
    wanted: bound === undefined ? '–' : wantedText(bound),
    reached: spreadOf(rounds.map(({ value }) => value)),
    digits,
    verdict:
      rounds.length === 0
        ? 'not measured'
        : judge(
            quiet.map(({ value }) => value),
            bound,
          ),
    remarks: rounds.length > 0 ? [...remarks] : [...remarks].filter((remark) => !ofNumbers.includes(remark)),
  }
}

function wantedText(bound: Bound): string {
  if ('atLeast' in bound) return `≥ ${bound.atLeast}`
  return bound.atMost === 0 ? '0' : `≤ ${bound.atMost}`
}

function judge(values: readonly number[], bound: Bound | undefined): Verdict {
  if (bound === undefined) return 'no goal'
  if (values.length < leastRounds) return 'not decided'
  const good = values.filter((value) => ('atLeast' in bound ? value >= bound.atLeast : value <= bound.atMost)).length
  return good === values.length ? 'met' : good === 0 ? 'missed' : 'not decided'
}

/** Looks values of one round up, and remarks what must be known of the rows that they stand in. */
function lookUp(report: Report, round: number, remarks: Set<string>): { at: At; isQuiet: () => boolean } {
  let quiet = true
  let run: Run | undefined
  const at: At = (scenarioName, cells, contenderName, metric) => {
    const labels = typeof cells === 'string' ? [cells] : cells
    const found = findScenario(report, scenarioName)
    const cell = labels.flatMap((label) => found?.scenario.cells.find((other) => other.label === label) ?? [])[0]
    const contender = cell?.contenders.find(({ name }) => name === contenderName)
    if (found === undefined || cell === undefined || contender === undefined) {
      remarks.add('not in this report')
      return undefined
    }
    run ??= found.run
    if (found.run !== run) {
      remarks.add('its parts are of different runs')
      return undefined
    }
    if (cell.label !== labels[0]) remarks.add(`measured with ${cell.label}`)
    if (found.run.profile !== 'full') remarks.add(shortWindows)
    if (contender.absent !== undefined) remarks.add(`${contenderName}: ${contender.absent}`)
    if (contender.loadBound) remarks.add(`${contenderName}: ${loadBound}`)
    if (contender.faults.length > 0) remarks.add(`${contenderName}: ${contender.faults.join(', ')}`)
    if ((contender.foreignShares[round] ?? 0) > found.run.maxForeignShare) quiet = false
    return contender.values[metric]?.rounds[round] ?? undefined
  }
  return { at, isQuiet: () => quiet }
}

function findScenario(report: Report, name: string): { run: Run; scenario: ScenarioReport } | undefined {
  return report.runs
    .flatMap((run) => run.scenarios.map((scenario) => ({ run, scenario })))
    .find(({ scenario }) => scenario.name === name)
}

/** The rows of ours that lost, doubled or reordered something, or could not be measured to the end. */
function lossResult(report: Report): GoalResult {
  const rows = report.runs
    .flatMap(({ scenarios }) => scenarios)
    .flatMap(({ cells }) => cells)
    .flatMap(({ contenders }) => contenders)
    .filter(({ name, samples }) => name.startsWith(ours) && samples > 0)
  const faulty = rows.filter(({ faults }) => faults.length > 0).length
  return {
    id: 'G17',
    what: `rows of ours with a lost, doubled or reordered event, of ${rows.length}`,
    wanted: '0',
    reached: rows.length === 0 ? undefined : { median: faulty, min: faulty, max: faulty },
    digits: 0,
    verdict: rows.length === 0 ? 'not measured' : faulty === 0 ? 'met' : 'missed',
    remarks: [],
  }
}
