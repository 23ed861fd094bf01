import { randomUUID } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type AgentEvent, type AgentSession, runsProgram, StartError } from './adapters/adapter.ts'
import type { Drivers } from './adapters/drivers.ts'
import { containing } from './process/containing.ts'
import type { Holder } from './process/holder.ts'
import type { Fences } from './process/namespace.ts'
import { findProgram } from './process/find-program.ts'
import { settleContainment } from './profiles/containment.ts'
import { lookForLogin } from './profiles/login.ts'
import type { AgentProfile } from './profiles/profile.ts'
import { readVersion } from './profiles/read-version.ts'
import { Redactor } from './redact.ts'
import { containedIn } from './supervisor/fence-of.ts'
import { planLaunch } from './supervisor/launch.ts'

/** One thing that was tried. `unsure`: nothing is wrong with it, and nothing is shown by it. */
export interface TrialStep {
  outcome: 'ok' | 'failed' | 'unsure'
  what: string
}

/** A model may think for so long; after this the agent counts as one that does not answer. */
const turnTimeoutMs = 120_000

/** What a program prints within this time is shown; many print nothing until somebody writes to them. */
const programTimeoutMs = 5_000

/** What an agent is given to end by itself. */
const graceMs = 3_000

/** What is tried, and in what surroundings. */
export interface Trial {
  profile: AgentProfile
  drivers: Drivers
  holder: Holder
  from: Readonly<Record<string, string | undefined>>
  fences: Fences
  /** Empty; the agent works in it. */
  folder: string
  /** What makes this agent ask before it writes a file into its folder. */
  prompt: string
  signal: AbortSignal
}

/**
 * Starts an agent as a session would, has it ask, says no, and ends it. What comes out is what happened, step by step; an
 * agent that cannot be started is one of these steps, not an error.
 */
export async function* tryAgent(trial: Trial): AsyncGenerator<TrialStep> {
  const { profile, from } = trial
  if (profile.interactive?.enabled === false) {
    yield {
      outcome: 'unsure',
      what: 'It is turned off ("interactive.enabled" is not true): nobody can start it from here.',
    }
  }
  const [name] = profile.argv === 'of-session' ? [] : profile.argv
  if (name === undefined) {
    yield { outcome: 'unsure', what: 'What it runs is said with each session; there is nothing to try.' }
    return
  }
  const program = profile.adapter === 'log' ? name : findProgram(name, from['PATH'])
  if (program === undefined) {
    yield { outcome: 'failed', what: `There is no program "${name}" on the PATH. ${profile.hint}`.trim() }
    return
  }
  yield { outcome: 'ok', what: `It is at ${program}.` }
  yield* sayVersion(trial, program)
  if (profile.login) yield signInStep(profile.login.hint, lookForLogin(profile.login, from))
  yield* tryRunning(trial)
}

async function* sayVersion({ profile, holder, from, folder }: Trial, program: string): AsyncGenerator<TrialStep> {
  if (profile.versionArgs === undefined) return
  const version = await readVersion([program, ...profile.versionArgs], { holder, from, cwd: folder })
  if (version === undefined)
    yield { outcome: 'unsure', what: `It says no version to "${profile.versionArgs.join(' ')}".` }
  else yield { outcome: 'ok', what: `It is version ${version}.` }
}

function signInStep(hint: string, signedIn: 'yes' | 'no' | 'unknown'): TrialStep {
  if (signedIn === 'yes') return { outcome: 'ok', what: 'There is a sign-in, or a key, for it.' }
  if (signedIn === 'no') return { outcome: 'unsure', what: `No sign-in was found. ${hint}` }
  return { outcome: 'unsure', what: 'Whether somebody has signed in cannot be seen from outside.' }
}

async function* tryRunning(trial: Trial): AsyncGenerator<TrialStep> {
  const { drivers, holder, from, folder, signal, fences } = trial
  const profile = settleContainment(trial.profile, { unfenced: false, fences })
  let redactor = new Redactor([])
  let agent: AgentSession
  try {
    const wanted = { cwd: folder }
    const session = randomUUID()
    const plan = planLaunch({ session, profile, wanted, native: undefined, from, scratchFolder: folder })
    redactor = new Redactor(plan.secrets)
    const driver = drivers.get(profile.adapter)
    if (!driver) throw new StartError(`There is no adapter "${profile.adapter}" here.`)
    const { argv, cwd, env } = plan.spec
    const fence = { placement: undefined, dataDir: folder, desk: [], temporary: join(folder, '.tmp') }
    const within = containedIn({ profile, argv, cwd, env, ...fence })
    agent = await driver.start({ ...plan.spec, env: within.env }, containing(holder, within.contained), signal)
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    yield { outcome: 'failed', what: `It does not start. ${redactor.value(error.message)}` }
    return
  }
  const stop = (): void => void agent.stop(0)
  signal.addEventListener('abort', stop, { once: true })
  try {
    const { mode, model } = agent.facts
    const facts = [mode === undefined ? '' : ` in the mode "${mode}"`, model === undefined ? '' : `, with ${model}`]
    yield { outcome: 'ok', what: `It starts${facts.join('')}.` }
    if (runsProgram(profile.adapter)) yield await watchProgram(agent, redactor)
    else yield* tryTurn(agent, trial, redactor)
  } finally {
    signal.removeEventListener('abort', stop)
    const left = await agent.stop(graceMs)
    yield left.length === 0
      ? { outcome: 'ok', what: 'It ends, with everything that it started.' }
      : { outcome: 'failed', what: `These processes could not be ended: ${left.join(', ')}.` }
  }
}

/** A program asks nobody. What can be shown is that it comes up, and what it prints. */
async function watchProgram(agent: AgentSession, redactor: Redactor): Promise<TrialStep> {
  const printed = (async (): Promise<TrialStep> => {
    for await (const event of agent.events()) {
      if (event.t === 'output') {
        const [line = ''] = redactor.value(event.text).trim().split('\n')
        return { outcome: 'ok', what: `It prints: ${line.slice(0, 100)}` }
      }
      if (event.t !== 'exit') continue
      const how = event.exit.signal ?? `exit code ${event.exit.code}`
      return { outcome: event.exit.code === 0 ? 'ok' : 'failed', what: `It ended by itself: ${how}.` }
    }
    return { outcome: 'failed', what: 'It is gone.' }
  })()
  const still: TrialStep = {
    outcome: 'ok',
    what: 'It runs and prints nothing yet. A program asks nobody before it acts.',
  }
  const enough = new AbortController()
  try {
    return await Promise.race([printed, pause(programTimeoutMs, still, { signal: enough.signal })])
  } finally {
    enough.abort()
  }
}

async function* tryTurn(agent: AgentSession, { prompt, folder }: Trial, redactor: Redactor): AsyncGenerator<TrialStep> {
  const turn = randomUUID()
  const late = setTimeout(() => void agent.stop(0), turnTimeoutMs)
  let asked = 0
  try {
    await agent.prompt(turn, prompt)
    yield { outcome: 'ok', what: 'It takes a message.' }
    for await (const event of agent.events()) {
      if (event.t === 'ask') {
        asked += 1
        const result = await agent.answer(event.ask.ask, { verdict: 'deny' })
        const isRefused = result === 'applied' || result === 'reason_unheard'
        yield { outcome: 'ok', what: `It asks before it acts: ${redactor.value(event.ask.title).slice(0, 100)}` }
        yield {
          outcome: isRefused ? 'ok' : 'failed',
          what: isRefused ? 'It hears a no.' : `It did not hear a no: ${result}.`,
        }
      } else if (event.t === 'question') await agent.answerQuestion(event.question, { action: 'cancel' })
      else if (event.t === 'exit' || event.t === 'fault' || event.t === 'turn_ended') {
        yield turnStep(event, redactor)
        break
      }
    }
  } finally {
    clearTimeout(late)
  }
  // What begins with a dot is an agent's own.
  const written = readdirSync(folder).filter((name) => !name.startsWith('.'))
  if (written.length > 0) {
    yield {
      outcome: 'failed',
      what: `It has written ${written.join(', ')}${asked === 0 ? ' without asking' : ' after the no'}.`,
    }
  } else if (asked === 0) {
    yield { outcome: 'failed', what: 'It did not ask, and did nothing either. Can it reach its model?' }
  } else yield { outcome: 'ok', what: 'Nothing happened after the no.' }
}

function turnStep(event: Extract<AgentEvent, { t: 'exit' | 'fault' | 'turn_ended' }>, redactor: Redactor): TrialStep {
  switch (event.t) {
    case 'exit':
      return { outcome: 'failed', what: `It is gone: ${event.exit.signal ?? `exit code ${event.exit.code}`}.` }
    case 'fault':
      return { outcome: 'failed', what: `It cannot be understood: ${redactor.value(event.note)}` }
    case 'turn_ended':
      return event.end === 'error'
        ? {
            outcome: 'failed',
            what: `Its turn ended with an error: ${redactor.value(event.error ?? 'it says no more')}`,
          }
        : { outcome: 'ok', what: 'It ends its turn.' }
  }
}
