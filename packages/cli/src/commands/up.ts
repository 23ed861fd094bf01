import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { builtinProfiles } from '@hotline/runner/profiles/builtin'
import { type KnownAgents, openKnownAgents } from '@hotline/runner/profiles/known-agents'
import { problemLine } from '@hotline/runner/profiles/problem'
import { profilesFolder } from '@hotline/runner/profiles/read-folder'
import { options as runnerOptions } from '@hotline/runner/config'
import { endOrphans } from '@hotline/runner/process/end-orphans'
import { surroundings } from '@hotline/runner/process/environment'
import { prepareDataDirectory } from '@hotline/server/config/data-dir'
import { options as serverOptions } from '@hotline/server/config/options'
import { ConfigError } from '@hotline/server/config/read-config'
import { fail } from '../failure.ts'
import { keepProcess, type KeptProcess } from '../kept-process.ts'
import { options } from '../options.ts'
import type { Environment, Settings } from '../settings.ts'

/** What our own processes need from the shell. Nothing else goes along, but settings of ours and what agents are given. */
const passedOn: readonly string[] = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LC_ALL',
  'TERM',
  'TZ',
  'TMPDIR',
  'SystemRoot',
  'USERPROFILE',
  'APPDATA',
  'LOCALAPPDATA',
  // Without it a server with the certificate of an authority of one's own could not be reached by its own runner.
  'NODE_EXTRA_CA_CERTS',
]

/** Profiles that changed are read again after this; the runner, which does so by itself, gets what they name besides. */
const lookMs = 2_000

/** What the runner hands on to agents: the surroundings of a program, and what the profiles name. */
function forAgents({ now }: KnownAgents): readonly string[] {
  return [...surroundings, ...[...now.profiles.values()].flatMap(({ env }) => env ?? [])]
}

/** What is started, with which settings, and who hears of it. */
export interface UpPorts {
  settings: Settings
  env: Environment
  /** Absent: both. */
  only: 'server' | 'runner' | undefined
  /** For a person. */
  say: (line: string) => void
  /** Once, when everything is ready. */
  ready: (facts: UpFacts) => void
}

/** Where the server is reached. */
export interface UpFacts {
  /** What people are told: the public name, where there is one. */
  url: string
  /** What this machine can use as well, where that is something else. */
  local: string | undefined
  /** The link that makes the first account, where there is none yet. */
  bootstrap: string | undefined
}

/**
 * Starts the server, and the runner as a process of its own, and keeps both until Ctrl-C (or SIGTERM, or the terminal is
 * closed). Ends the runner first, so that what it has to say about its agents still reaches the log. A second Ctrl-C
 * kills it, and ends by itself what is left of its agents.
 */
export async function up({ settings, env, only, say, ready }: UpPorts): Promise<void> {
  const { dataDir } = settings
  refuseUnknown(env)
  const told = new Set(checkedDirectory(dataDir))
  for (const notice of told) say(notice)
  const kept: KeptProcess[] = []
  const stopping = new AbortController()
  const stop = (): void => {
    if (stopping.signal.aborted) for (const one of kept) one.kill()
    stopping.abort()
  }
  let hasRun = false
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, stop)
  const stopped = new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve()))
  try {
    await Promise.race([stopped, start()])
    await stopped
    say(`Ending ${only ?? 'agents, runner and server'} …`)
  } finally {
    for (const one of kept.toReversed()) await one.end()
    // A runner that was killed could not end its agents. What a start that failed has found at work is not its own.
    if (only !== 'server' && (hasRun || stopping.signal.aborted)) await endOrphans(dataDir)
    for (const signal of signals) process.off(signal, stop)
  }

  async function start(): Promise<void> {
    if (only === 'runner') return await startAloneRunner()
    const { url, near, bootstrap } = await startServer()
    if (stopping.signal.aborted) return
    if (only !== 'server') await startRunner(near, join(dataDir, 'runner-key'))
    if (!stopping.signal.aborted) ready({ url, local: near === url ? undefined : near, bootstrap })
  }

  async function startServer(): Promise<{ url: string; near: string; bootstrap: string | undefined }> {
    let { port } = settings
    const server = keepProcess({
      name: 'server',
      main: fileURLToPath(import.meta.resolve('@hotline/server/main')),
      env: () => ({
        ...ownEnvironment(env, 'server', []),
        ...(port === undefined ? {} : { HOTLINE_PORT: port }),
        HOTLINE_DATA_DIR: dataDir,
      }),
      say,
      meaning: 'Nothing is lost.',
      // The code of its earlier life has died with it.
      readyAgain: ({ bootstrap }) => {
        if (typeof bootstrap === 'string') say(`Until there is an account, this is the link to begin: ${bootstrap}`)
      },
    })
    kept.push(server)
    const facts = await server.ready
    const url = String(facts['url'])
    const bootstrap = typeof facts['bootstrap'] === 'string' ? facts['bootstrap'] : undefined
    // After a crash it comes back at the same port, where pages and runners look for it.
    port = String(facts['port'])
    // Programs of this machine need no proxy to reach it. A certificate, though, is for the public name.
    const local = String(facts['local'])
    const near = local.startsWith('http:') ? local : url
    writeFileSync(join(dataDir, 'url'), `${near}\n`, { mode: 0o600 })
    for (const notice of Array.isArray(facts['notices']) ? facts['notices'] : []) {
      if (!told.has(String(notice))) say(String(notice))
    }
    return { url, near, bootstrap }
  }

  /** For a server elsewhere: it may be away for as long as it likes. */
  async function startAloneRunner(): Promise<void> {
    const { url } = settings
    say(`Looking for the server at ${url} …`)
    await startRunner(url, env['HOTLINE_RUNNER_KEY_FILE'] || join(dataDir, 'runner-key'), Number.POSITIVE_INFINITY)
    if (!stopping.signal.aborted) ready({ url, local: undefined, bootstrap: undefined })
  }

  async function startRunner(url: string, keyFile: string, readyTimeoutMs?: number): Promise<void> {
    const agents = openKnownAgents(builtinProfiles(undefined), profilesFolder(dataDir))
    for (const problem of agents.now.problems)
      say(`A profile is wrong, and its agent not offered: ${problemLine(problem)}`)
    const runner = keepProcess({
      name: 'runner',
      main: fileURLToPath(import.meta.resolve('@hotline/runner/main')),
      env: () => ({
        ...ownEnvironment(env, 'runner', forAgents(agents)),
        HOTLINE_DATA_DIR: dataDir,
        HOTLINE_URL: url,
        HOTLINE_RUNNER_KEY_FILE: keyFile,
      }),
      say,
      meaning:
        (env['HOTLINE_KEEPER'] || runnerOptions.keeper.standard) === 'on' && process.platform !== 'win32'
          ? 'Its agents go on, and it takes them up again; of one that cannot be taken up, its session says so.'
          : 'Its agents ended with it: their sessions are interrupted, and can be resumed where the agent can do that. What they said is kept.',
      readyTimeoutMs,
    })
    kept.push(runner)
    await runner.ready
    hasRun = true
    const watching = setInterval(() => {
      if (agents.look()) runner.tell({ environment: ownEnvironment(env, 'runner', forAgents(agents)) })
    }, lookMs)
    stopping.signal.addEventListener('abort', () => clearInterval(watching))
  }
}

const namesOf = (all: Record<string, { env: string }>): ReadonlySet<string> =>
  new Set(Object.values(all).map(({ env }) => env))
const serverNames = namesOf(serverOptions)
const runnerNames = namesOf(runnerOptions)
/** Of tests, and of the demonstration agent, which the runner starts. */
const otherNames = /^HOTLINE_(TEST|DEMO)_/

/** Each process gets its own settings: the server refuses names that it does not know, and needs no key of an agent's. */
function ownEnvironment(env: Environment, of: 'server' | 'runner', agents: readonly string[]): Record<string, string> {
  const isFor = {
    server: (name: string): boolean => serverNames.has(name),
    runner: (name: string): boolean => runnerNames.has(name) || otherNames.test(name) || agents.includes(name),
  }[of]
  const own: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && (passedOn.includes(name) || isFor(name))) own[name] = value
  }
  return own
}

/** Refused where others could write it, before anything is started in it: as the server does, and for a runner alone too. */
function checkedDirectory(dataDir: string): readonly string[] {
  try {
    return prepareDataDirectory(dataDir)
  } catch (error) {
    if (error instanceof ConfigError) throw fail('invalid_request', error.message)
    throw error
  }
}

/** A setting with a typing error would silently be its default. */
function refuseUnknown(env: Environment): void {
  const own = new Set<string>(Object.values(options).flatMap((option) => ('env' in option ? [option.env] : [])))
  const unknown = Object.keys(env).filter((name) => {
    if (!name.startsWith('HOTLINE_') || otherNames.test(name)) return false
    return !own.has(name) && !serverNames.has(name) && !runnerNames.has(name)
  })
  if (unknown.length > 0) throw fail('invalid_request', `There is no setting ${unknown.join(', ')}.`)
}
