import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { choosePlacement } from './child.ts'
import { compile } from './compile.ts'
import { compareWithGoals } from './goals.ts'
import { describeMachine } from './machine.ts'
import { type Options, parseOptions, usage } from './options.ts'
import { describeProfiles } from './profile.ts'
import { formatReport } from './report.ts'
import { type CellResult, type Machinery, maxForeignShare, measureCell, type RoundsPlan } from './rounds.ts'
import type { Cell, Scenario } from './scenario.ts'
import { append } from './scenarios/append.ts'
import { fanout, latency } from './scenarios/fanout.ts'
import { memory } from './scenarios/memory.ts'
import { http, writers } from './scenarios/requests.ts'
import { stall } from './scenarios/stall.ts'
import { storm } from './scenarios/storm.ts'
import { checkInstruments } from './self-check.ts'
import { judgeSmoke } from './smoke.ts'
import { summarize } from './summary.ts'

const scenarios: readonly Scenario[] = [fanout, latency, append, writers, stall, storm, memory, http]

const gate =
  `Contenders of a table took turns, a fresh server for each sample; median [min–max]; ratios are of samples of the ` +
  `same round. A sample was discarded when processes that are not part of the measurement used more than ` +
  `${maxForeignShare * 100} % of one processor during its window; after three attempts the quietest was kept and the ` +
  `row is marked as noisy. What the host of a virtual machine takes away is not seen by this gate and hits all alike.`

function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

function chooseScenarios(names: readonly string[]): readonly Scenario[] {
  const unknown = names.filter((name) => !scenarios.some((scenario) => scenario.name === name))
  if (unknown.length > 0) throw new RangeError(`unknown scenario: ${unknown.join(', ')}`)
  return names.length === 0 ? scenarios : scenarios.filter(({ name }) => names.includes(name))
}

function restrict(cells: readonly Cell[], only: readonly string[]): Cell[] {
  if (only.length === 0) return [...cells]
  return cells
    .map((cell) => {
      const names = cell.contenders.map(({ name }) => name)
      const chosen = only.flatMap((text) =>
        names.includes(text) ? [text] : names.filter((name) => name.includes(text)),
      )
      return { ...cell, contenders: cell.contenders.filter(({ name }) => chosen.includes(name)) }
    })
    .filter(({ contenders }) => contenders.length > 0)
}

async function measureScenario(
  scenario: Scenario,
  options: Options,
  bench: Machinery,
  plan: RoundsPlan,
): Promise<CellResult[]> {
  const results: CellResult[] = []
  for (const cell of restrict(scenario.cells(options.profile), options.only)) {
    results.push(await measureCell(cell, bench, plan))
  }
  return results
}

async function run(options: Options, scratch: string, signal: AbortSignal): Promise<void> {
  const smoke = options.profile === 'smoke'
  const placement = choosePlacement()
  const [wsload, httpload, floor] = await Promise.all([compile('wsload'), compile('httpload'), compile('floor')])
  const bench: Machinery = { programs: { wsload, httpload, floor }, ...placement, signal }
  const plan: RoundsPlan = {
    repeats: smoke ? 1 : options.repeats,
    gate: !smoke && options.profileDir === '',
    endMs: performance.now() + options.budgetMs,
    scratch,
    profileDir: options.profileDir === '' ? undefined : resolve(options.profileDir),
    progress: smoke ? () => undefined : say,
  }
  const chosen = chooseScenarios(options.scenarios)
  if (smoke) {
    const { lines, ok } = await checkInstruments({ ...bench, scratch, profileDir: undefined })
    for (const line of lines) process.stdout.write(`${line}\n`)
    if (!ok) process.exitCode = 1
  }
  const summaries = []
  for (const scenario of chosen) {
    const cells = await measureScenario(scenario, options, bench, plan)
    summaries.push(summarize(scenario, cells))
    if (!smoke) continue
    const verdict = judgeSmoke(scenario, cells)
    for (const line of verdict.lines) process.stdout.write(`${line}\n`)
    if (!verdict.ok) process.exitCode = 1
  }
  if (signal.aborted) process.exitCode = 1
  if (plan.profileDir !== undefined) {
    say(await describeProfiles(plan.profileDir))
    return
  }
  if (smoke) return
  const machine = await describeMachine(scratch, placement)
  const report = { machine, gate, scenarios: summaries, goals: compareWithGoals(summaries) }
  process.stdout.write(options.json ? `${JSON.stringify(report, undefined, 2)}\n` : `${formatReport(report)}\n`)
  const faulty = summaries.flatMap(({ cells }) => cells).flatMap(({ contenders }) => contenders)
  if (faulty.some(({ name, faults }) => name.startsWith('hotline') && faults.length > 0)) process.exitCode = 1
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2))
  if (options.help) {
    process.stdout.write(usage(scenarios))
    return
  }
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interrupted.abort(new Error(`stopped by ${signal}`)))
  }
  const scratch = await mkdtemp(join(options.scratch === '' ? tmpdir() : options.scratch, 'hotline-bench-'))
  try {
    await run(options, scratch, interrupted.signal)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

await main()
