import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { choosePlacement } from './child.ts'
import { cacheFolder, compile } from './compile.ts'
import { describeMachine } from './machine.ts'
import { type Options, parseOptions, type Profile, usage } from './options.ts'
import { describeProfiles } from './profile.ts'
import { formatReport, reportOf, type Run, type ScenarioReport } from './report.ts'
import { type CellResult, type Machinery, maxForeignShare, measureCell, type RoundsPlan } from './rounds.ts'
import type { Cell, Scenario } from './scenario.ts'
import { append } from './scenarios/append.ts'
import { approval } from './scenarios/approval.ts'
import { fanout, latency } from './scenarios/fanout.ts'
import { files } from './scenarios/files.ts'
import { flood } from './scenarios/flood.ts'
import { leak } from './scenarios/leak.ts'
import { memory } from './scenarios/memory.ts'
import { http, writers } from './scenarios/requests.ts'
import { open } from './scenarios/open.ts'
import { resume } from './scenarios/resume.ts'
import { search } from './scenarios/search.ts'
import { stall } from './scenarios/stall.ts'
import { storm } from './scenarios/storm.ts'
import { checkInstruments } from './self-check.ts'
import { judgeSmoke } from './smoke.ts'
import { summarize } from './summary.ts'
import { formatRun } from './tables.ts'
import { describeVersion } from './version.ts'

const scenarios: readonly Scenario[] = [
  fanout,
  latency,
  approval,
  append,
  writers,
  stall,
  flood,
  files,
  storm,
  resume,
  open,
  memory,
  leak,
  http,
  search,
]

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
): Promise<ScenarioReport> {
  const startMs = performance.now()
  const results: CellResult[] = []
  for (const cell of restrict(scenario.cells(options.profile), options.only)) {
    results.push(await measureCell(cell, bench, plan))
  }
  return summarize(scenario, options.profile, performance.now() - startMs, results)
}

/** How much is done for quiet samples: for publishing much, for an idea little, and nothing where nothing is measured. */
const patience: Readonly<Record<Profile, Pick<RoundsPlan, 'attempts' | 'maxQuietWaitMs'>>> = {
  smoke: { attempts: 1, maxQuietWaitMs: 0 },
  quick: { attempts: 1, maxQuietWaitMs: 1_000 },
  full: { attempts: 3, maxQuietWaitMs: 6_000 },
}

/** Measures what was asked for. The profile `smoke` takes every sample once, whatever else the machine does. */
async function measure(options: Options, scratch: string, signal: AbortSignal): Promise<Run> {
  const startedAt = new Date().toISOString()
  const smoke = options.profile === 'smoke'
  const placement = choosePlacement()
  const [wsload, httpload, floor] = await Promise.all([compile('wsload'), compile('httpload'), compile('floor')])
  const bench: Machinery = { programs: { wsload, httpload, floor }, ...placement, signal }
  const plan: RoundsPlan = {
    repeats: smoke ? 1 : options.repeats,
    ...patience[options.profileDir === '' ? options.profile : 'smoke'],
    endMs: performance.now() + options.budgetMs,
    scratch,
    profileDir: options.profileDir === '' ? undefined : resolve(options.profileDir),
    progress: say,
  }
  const chosen = chooseScenarios(options.scenarios)
  if (smoke) {
    const { lines, ok } = await checkInstruments({ ...bench, scratch, profileDir: undefined })
    for (const line of lines) say(line)
    if (!ok) process.exitCode = 1
  }
  const measured: ScenarioReport[] = []
  for (const scenario of chosen) measured.push(await measureScenario(scenario, options, bench, plan))
  return {
    startedAt,
    ...describeVersion(),
    profile: options.profile,
    repeats: plan.repeats,
    only: options.only,
    maxForeignShare,
    machine: await describeMachine(scratch, placement),
    scenarios: measured,
  }
}

async function run(options: Options, scratch: string, signal: AbortSignal): Promise<void> {
  const found = await measure(options, scratch, signal)
  if (signal.aborted) process.exitCode = 1
  const smoke = options.profile === 'smoke'
  const path = options.report !== '' ? resolve(options.report) : join(smoke ? scratch : cacheFolder, 'report.json')
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, formatReport(reportOf(found)))
  if (options.profileDir !== '') {
    say(await describeProfiles(options.profileDir))
    return
  }
  if (smoke) {
    const { lines, ok } = judgeSmoke(path, options.strictness)
    for (const line of lines) process.stdout.write(`${line}\n`)
    if (!ok) process.exitCode = 1
    return
  }
  process.stdout.write(`${formatRun(found)}\n`)
  say(`everything that was found: ${path}`)
  const rows = found.scenarios.flatMap(({ cells }) => cells).flatMap(({ contenders }) => contenders)
  if (rows.some(({ name, faults }) => name.startsWith('hotline') && faults.length > 0)) process.exitCode = 1
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
