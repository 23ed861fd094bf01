import { randomBytes } from 'node:crypto'
import { mkdirSync, statSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import type { Usage } from '@hotline/core/session/state'
import { runsProgram, StartError, type StartSpec } from '../adapters/adapter.ts'
import { buildEnvironment } from '../process/environment.ts'
import type { TerminalSize } from '../process/holder.ts'
import { findProgram } from '../process/find-program.ts'
import { fillArgv } from '../profiles/interactive.ts'
import type { KnownAgents } from '../profiles/known-agents.ts'
import type { AgentProfile } from '../profiles/profile.ts'
import { secretsAmong } from '../profiles/variables.ts'
import type { Secret } from '../redact.ts'
import type { SessionLog, Wanted } from './session-log.ts'

/** The size that a terminal has until somebody looks at it. */
export const defaultSize: TerminalSize = { cols: 120, rows: 40 }

/** What a session's agent is started with. */
export interface Launch {
  spec: StartSpec
  /** Values that were handed over and that nobody shall read. */
  secrets: readonly Secret[]
  /** Variables that the profile asked for and that are never handed over. */
  refused: readonly string[]
}

/** Which agent a session wants, under which name of its own it goes on, and in which mode it begins. */
export function whatToStart(
  { state, wanted }: Pick<SessionLog, 'state' | 'wanted'>,
  agents: KnownAgents,
): { profile: AgentProfile | undefined; native: string | undefined; mode: string | undefined } {
  const profile = state ? agents.now.profiles.get(state.agent) : undefined
  // Without a turn there is nothing to take up, but in a program, of which nobody knows. It begins in the asking mode,
  // whatever it was in before.
  const hasBegun = (profile && runsProgram(profile.adapter)) || (state?.counts.turns ?? 0) > 0
  const native = hasBegun ? state?.native : undefined
  return { profile, native, mode: native === undefined ? wanted.mode : undefined }
}

/** Why there is no such agent, in a sentence for people. */
export function whyNone(agents: KnownAgents, agent: string): string {
  const why = agents.now.broken.get(agent)
  return why === undefined ? `This runner has no agent "${agent}".` : `The profile of this agent is wrong: ${why}`
}

/** A profile may turn an agent off, and make one of any program: that takes what a command line takes. Throws a StartError. */
export function refuseToStart({ agent, adapter, argv, interactive }: AgentProfile, how: 'asked' | 'unasked'): void {
  if (interactive?.enabled === false) {
    throw new StartError(`"${agent}" is turned off: "interactive.enabled" is not true in its profile.`)
  }
  if (runsProgram(adapter) && argv !== 'of-session' && how === 'asked') {
    throw new StartError(
      `"${agent}" is a program that asks nobody before it acts. Start it with "unasked": true, by somebody who may decide.`,
    )
  }
}

/** Plans the start of an agent. Throws a StartError with a sentence for people where something is missing. */
export function planLaunch(options: {
  session: string
  profile: AgentProfile
  wanted: Wanted
  native: string | undefined
  /** What the session used so far. */
  used?: Usage | undefined
  /** The environment of this process. */
  from: Readonly<Record<string, string | undefined>>
  /** For agents that need no folder of a person's. */
  scratchFolder: string
  /** The file of the session's desk, where it has one. */
  desk?: string | undefined
}): Launch {
  const { session, profile, wanted, native, from, scratchFolder } = options
  if (profile.adapter === 'log') return planFollowing(session, profile, wanted)
  if (profile.adapter === 'mcp') {
    const { asking } = profile
    return { spec: { session, argv: [], cwd: wanted.cwd ?? '/', env: {}, run: '', asking }, secrets: [], refused: [] }
  }
  const cwd = folderOf(session, profile, wanted.cwd, scratchFolder)
  const argv = argvOf(session, profile, wanted, native)
  const [name, ...args] = argv
  if (name === undefined) throw new StartError('There is no command to run. Name one when you start the session.')
  const run = randomBytes(16).toString('hex')
  const names = profile.env ?? []
  const { env, refused } = buildEnvironment({
    from,
    names,
    set: { ...(profile.adapter === 'pty' ? { TERM: 'xterm-256color' } : {}), ...profile.set },
    cwd,
    run,
    desk: options.desk,
  })
  const program = findProgram(name, env['PATH'], cwd)
  if (program === undefined) {
    const hint = profile.hint === '' ? 'Is it installed on this machine, and on its PATH?' : profile.hint
    throw new StartError(`There is no program "${name}" that could be run. ${hint}`)
  }
  return {
    spec: {
      session,
      argv: [program, ...args],
      cwd,
      env,
      run,
      seed: randomBytes(16).toString('hex'),
      asking: profile.asking,
      mode: wanted.mode,
      // What takes up a session by a command line of its own is not asked to do it again.
      resume: runsProgram(profile.adapter) ? undefined : native,
      usedBefore: options.used,
      allowAlways: profile.allowAlways,
      ...(profile.contain === 'files' ? { fenced: true as const } : {}),
      losesSessions: profile.losesSessions,
      size: wanted.size ?? defaultSize,
    },
    secrets: secretsOf(profile, env),
    refused,
  }
}

/** The values that a profile hands over and that nobody shall read. */
export function secretsOf(
  { env: names = [], set = {} }: AgentProfile,
  env: Readonly<Record<string, string | undefined>>,
): readonly Secret[] {
  return secretsAmong([...names, ...Object.keys(set)].map((name) => [name, set[name] ?? env[name]] as const))
}

/** A file is named where others name a program; `from-end` after it says to begin with what comes. */
function planFollowing(session: string, profile: AgentProfile, wanted: Wanted): Launch {
  const [path, how] = profile.argv === 'of-session' ? (wanted.command ?? []) : profile.argv
  if (path === undefined) throw new StartError('There is no file to follow. Name one when you start the session.')
  const folder = wanted.cwd ?? '/'
  const absolute = resolve(folder, path)
  if (absolute.includes('\0') || !(isAbsolute(path) || wanted.cwd !== undefined)) {
    throw new StartError(`"${path}" is not an absolute path.`)
  }
  if (how !== undefined && how !== 'from-end')
    throw new StartError(`After the file "from-end" may follow, not "${how}".`)
  const file = { path: absolute, from: how === 'from-end' ? ('end' as const) : ('start' as const), place: wanted.place }
  const spec = { session, argv: [absolute], cwd: folder, env: {}, run: '', asking: profile.asking, file }
  return { spec, secrets: [], refused: [] }
}

/** Of a session that is taken up again: the command line for that, where there is one. */
function argvOf(session: string, profile: AgentProfile, wanted: Wanted, native: string | undefined): readonly string[] {
  if (profile.argv === 'of-session') return wanted.command ?? []
  const { resumeArgv } = profile.interactive ?? {}
  const argv = native === undefined || resumeArgv === undefined ? profile.argv : resumeArgv
  const filled = fillArgv(argv, native ?? session)
  if (filled) return filled
  throw new StartError('What the agent calls its session cannot be put on a command line.')
}

function folderOf(session: string, profile: AgentProfile, cwd: string | undefined, scratchFolder: string): string {
  if (cwd === undefined) {
    if (profile.folder !== undefined) return folderOf(session, profile, profile.folder, scratchFolder)
    if (profile.hasScratch !== true) throw new StartError('Choose the folder that the agent shall work in.')
    const scratch = join(scratchFolder, session)
    mkdirSync(scratch, { recursive: true, mode: 0o700 })
    return scratch
  }
  if (!isAbsolute(cwd) || cwd.includes('\0')) throw new StartError(`"${cwd}" is not an absolute path.`)
  if (!(statSync(cwd, { throwIfNoEntry: false })?.isDirectory() ?? false)) {
    throw new StartError(`There is no folder "${cwd}" on this machine.`)
  }
  return cwd
}
