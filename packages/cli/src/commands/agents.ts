import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { scriptPrompt } from '@hotline/demo-agent/script'
import type { AgentRow } from '@hotline/protocol/http'
import { openDrivers } from '@hotline/runner/adapters/drivers'
import { runsProgram } from '@hotline/runner/adapters/adapter'
import { findProgram } from '@hotline/runner/process/find-program'
import { findFences } from '@hotline/runner/process/namespace'
import type { Holder } from '@hotline/runner/process/holder'
import { openLocalHolder } from '@hotline/runner/process/local-holder'
import { builtinProfiles } from '@hotline/runner/profiles/builtin'
import { findDemo } from '@hotline/runner/profiles/demo'
import { nearest } from '@hotline/runner/profiles/nearest'
import { problemLine } from '@hotline/runner/profiles/problem'
import type { AgentProfile } from '@hotline/runner/profiles/profile'
import { listProfileFiles, profilesFolder, readProfileFile, readProfiles } from '@hotline/runner/profiles/read-folder'
import { type Agents, resolveAgents } from '@hotline/runner/profiles/resolve'
import { Survey } from '@hotline/runner/profiles/survey'
import { runnerVersion } from '@hotline/runner/runner'
import { type TrialStep, tryAgent } from '@hotline/runner/trial'
import type { Command } from 'commander'
import { agentText } from '../agent-lines.ts'
import { inLine } from '../approval-card.ts'
import { agentGroups } from '../choose-machine.ts'
import { exitCodeOf, fail } from '../failure.ts'
import { openPrompt } from '../prompt.ts'
import type { CommandContext } from './context.ts'

/** What every agent that writes files asks about, and what costs next to nothing. */
const trialPrompt =
  'Create a file named hotline-test.txt that holds the one word hello. Do nothing else, and stop if you may not.'

/** `agents`: what can be started, and how things stand with it; checking profiles and trying agents. */
export function addAgentCommands(program: Command, context: CommandContext): void {
  const agents = program
    .command('agents')
    .description('the agents and how things stand with them; "agents check" and "agents test" look closer')
    .option('--here', 'of this machine alone, without a server')
  agents.action(async ({ here }: { here?: boolean }) => {
    if (here === true) return await showHere(context)
    const { agents: rows } = await context.server().get<{ agents: AgentRow[] }>('/api/agents')
    context.print(rows, rows.length > 0 ? agentText(agentGroups(rows)) : 'No machine is connected.\n')
  })

  agents
    .command('check')
    .description('say what is wrong with the profiles of this machine, or with one file')
    .argument('[file]', 'the file of a profile (default: all in the folder agents of the data directory)')
    .action((file?: string) => check(context, file))

  agents
    .command('test')
    .description('start an agent in an empty folder, have it ask, say no, end it, and say what worked')
    .argument('<agent>', 'its id')
    .option('--yes', 'do not ask before a model is used')
    .action(async (id: string, { yes }: { yes?: boolean }) => await test(context, id, yes === true))
}

function agentsHere(context: CommandContext): Agents {
  return resolveAgents(builtinProfiles(findDemo()), readProfiles(profilesFolder(context.settings().dataDir)))
}

async function showHere(context: CommandContext): Promise<void> {
  const agents = agentsHere(context)
  const survey = new Survey(process.env)
  await withScratch(async ({ holder, folder }) => {
    await survey.askVersions(agents, { holder, cwd: folder, heard: () => undefined })
  })
  const rows = survey.report(agents, await findFences(process.env['PATH']))
  context.print(rows, agentText(rows.map((row) => ({ row, machines: [] }))))
}

function check(context: CommandContext, file: string | undefined): void {
  const folder = profilesFolder(context.settings().dataDir)
  const files = file === undefined ? listProfileFiles(folder) : [resolve(file)]
  const read = file === undefined ? readProfiles(folder) : files.map(readProfileFile)
  const { problems } = resolveAgents(builtinProfiles(findDemo()), read)
  const none = `No profile lies in ${folder}.\n`
  const well = files.length === 1 ? 'The profile is right.\n' : `All ${files.length} profiles are right.\n`
  const text = problems.map((problem) => `${inLine(problemLine(problem))}\n`).join('')
  context.print({ files, problems }, files.length === 0 ? none : problems.length === 0 ? well : text)
  if (problems.length > 0) context.exit(exitCodeOf(fail('invalid_request', '').problem))
}

async function test(context: CommandContext, id: string, isAgreed: boolean): Promise<void> {
  const agents = agentsHere(context)
  const profile = profileNamed(agents, id)
  const demo = findDemo()
  const isDemo = demo !== undefined && JSON.stringify(profile.argv) === JSON.stringify(demo)
  const [program = ''] = profile.argv === 'of-session' ? [] : profile.argv
  const isFree = isDemo || runsProgram(profile.adapter) || findProgram(program, process.env['PATH']) === undefined
  if (!isFree && !isAgreed) await confirm(context, profile)
  const ask = { do: 'ask', title: 'Write hotline-test.txt', kind: 'edit', input: { path: 'hotline-test.txt' } } as const
  const prompt = isDemo
    ? scriptPrompt([{ ...ask, onAllow: [{ do: 'write', path: 'hotline-test.txt', content: 'hello\n' }] }])
    : trialPrompt
  const failed = await withScratch(async ({ holder, folder }) => {
    const drivers = openDrivers({ version: runnerVersion })
    const signal = context.interrupted()
    let count = 0
    const trial = {
      profile,
      drivers,
      holder,
      from: process.env,
      fences: await findFences(process.env['PATH']),
      folder,
      prompt,
      signal,
    }
    for await (const step of tryAgent(trial)) {
      if (step.outcome === 'failed') count += 1
      context.print(step, `${mark(step)} ${inLine(step.what)}\n`)
    }
    return count
  })
  if (!context.json) context.write(failed === 0 ? `${id} works.\n` : `${id} does not work as it should.\n`)
  if (failed > 0) context.exit(1)
}

function mark({ outcome }: TrialStep): string {
  return { ok: 'ok    ', failed: 'FAIL  ', unsure: '?     ' }[outcome]
}

function profileNamed({ profiles, broken }: Agents, id: string): AgentProfile {
  const profile = profiles.get(id)
  if (profile) return profile
  const why = broken.get(id)
  if (why !== undefined) throw fail('invalid_request', `The profile of "${id}" is wrong: ${why}`)
  const near = nearest(id, [...profiles.keys()])
  const instead = near === undefined ? 'See: hotline agents --here' : `Did you mean "${near}"?`
  throw fail('not_found', `No agent "${id}" is known on this machine. ${instead}`)
}

async function confirm({ stdin }: CommandContext, { name }: AgentProfile): Promise<void> {
  const question = `This sends one short message to the model of ${inLine(name)}, which may cost something.`
  if (!stdin.isTTY) throw fail('invalid_request', `${question} Say --yes if it may.`)
  const prompt = openPrompt(stdin, process.stderr)
  try {
    const answer = await prompt.line(`${question} Go on? [y/N] `)
    if (!/^y(es)?$/i.test(answer.trim())) throw fail('invalid_request', 'Nothing was started.')
  } finally {
    prompt[Symbol.dispose]()
  }
}

/** A folder that is empty, and somebody who holds processes; both are gone afterwards. */
async function withScratch<T>(work: (scratch: { holder: Holder; folder: string }) => Promise<T>): Promise<T> {
  const root = mkdtempSync(join(tmpdir(), 'hotline-agents-'))
  const folder = join(root, 'work')
  mkdirSync(folder)
  const holder = openLocalHolder({ folder: join(root, 'children') })
  try {
    return await work({ holder, folder })
  } finally {
    await holder[Symbol.asyncDispose]()
    rmSync(root, { recursive: true, force: true })
  }
}
