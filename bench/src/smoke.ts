import { renderReport } from './page.ts'
import { durableStreamsPeer } from './subjects/http-peers.ts'
import { type CellReport, type ContenderReport, readReport, type ScenarioReport } from './report.ts'

/** What a smoke run says, a line for each contender, and whether all is well. */
export interface SmokeVerdict {
  lines: readonly string[]
  ok: boolean
}

/** Fetched when it is wanted: where that fails, a strict run goes without. */
const needsNetwork: readonly string[] = [durableStreamsPeer.name]

interface Line {
  ok: boolean
  line: string
}

/**
 * Judges the report that a smoke run wrote: every contender that the machine can run delivered everything and has every
 * number that its scenario promises, and the page can be made of it. What is left out is said, and fails only a strict
 * run: one who has no compiler can still try the rest.
 */
export function judgeSmoke(path: string, strictness: 'strict' | 'lenient'): SmokeVerdict {
  const report = readReport(path)
  const scenarios = report.runs.flatMap((run) => run.scenarios)
  const judged = scenarios.flatMap((scenario) =>
    scenario.cells.flatMap((cell) =>
      cell.contenders.map((contender) => judgeRow(scenario, cell, contender, strictness)),
    ),
  )
  judged.push({ ok: true, line: `report · makes a page of ${renderReport(report).split('\n').length} lines` })
  return {
    lines: judged.map(({ ok, line }) => `${ok ? 'ok     ' : 'FAILED '}   ${line}`),
    ok: judged.every(({ ok }) => ok),
  }
}

function judgeRow(
  scenario: ScenarioReport,
  cell: CellReport,
  contender: ContenderReport,
  strictness: 'strict' | 'lenient',
): Line {
  const where = `${scenario.name} · ${cell.label} · ${contender.name}`
  if (contender.absent !== undefined) {
    const excused = strictness === 'lenient' || needsNetwork.includes(contender.name)
    return { ok: excused, line: `${where}: left out, ${contender.absent}` }
  }
  if (contender.faults.length > 0) return { ok: false, line: `${where}: ${contender.faults.join('; ')}` }
  const lacking = scenario.metrics.filter(({ key }) => typeof contender.values[key]?.rounds[0] !== 'number')
  if (lacking.length > 0) return { ok: false, line: `${where}: no ${lacking.map(({ key }) => key).join(', ')}` }
  const [first] = scenario.metrics
  const value = first === undefined ? undefined : contender.values[first.key]?.median
  return { ok: true, line: `${where}: ${first?.title} ${value}, no fault` }
}
