import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { waitFor } from '../wait-for.ts'
import { type AgentPackage, type AgentPackageName, agentPackages } from './agent-packages.ts'

/** An agent that is there now, or why it is not. */
export type InstalledAgent =
  | {
      ok: true
      /** Folder with its programs: to be put before everything else on PATH. */
      binDir: string
      /** The program itself. */
      program: string
      version: string
    }
  | { ok: false; why: string }

/** Downloads of half a gigabyte take seconds next to a registry, and minutes far from it. */
const installTimeoutMs = 10 * 60_000
/** Somebody else installs the same; past this, they hang. */
const lockDeadlineMs = installTimeoutMs + 60_000

const run = promisify(execFile)

/**
 * Installs an agent by npm, once, at its exact version, into a cache outside of any checkout
 * (`${XDG_CACHE_HOME:-~/.cache}/hotline-test-agents`). What npm is told by its own settings holds here too. Where the
 * registry cannot be reached, the answer says why, and the tests of that agent are skipped with these words; with
 * HOTLINE_TEST_AGENTS=required it throws instead. HOTLINE_TEST_AGENTS=none installs nothing.
 */
export async function installAgent(
  name: AgentPackageName,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<InstalledAgent> {
  const wanted: AgentPackage = agentPackages[name]
  const cache = cacheFolder(env)
  const home = join(cache, `${name}@${wanted.version}`)
  const binDir = join(home, 'node_modules', '.bin')
  const found = { ok: true, binDir, program: join(binDir, wanted.program), version: wanted.version } as const
  if (existsSync(found.program)) return found
  if (env['HOTLINE_TEST_AGENTS'] === 'none') return { ok: false, why: `${name}: HOTLINE_TEST_AGENTS=none is set` }
  await mkdir(cache, { recursive: true, mode: 0o700 })
  const lock = await takeLock(join(cache, `${name}.lock`))
  try {
    if (!existsSync(found.program)) await install(wanted, cache, home, env)
    return found
  } catch (error) {
    const why =
      `${wanted.package}@${wanted.version} could not be installed by npm, so its tests say nothing: ` +
      `${messageOf(error)}\nTo run them, make the registry reachable (npm config get registry; npm_config_* works) ` +
      `and run them again; about ${wanted.sizeMb} MB go to ${cache}.`
    if (env['HOTLINE_TEST_AGENTS'] === 'required') throw new Error(why, { cause: error })
    return { ok: false, why }
  } finally {
    lock[Symbol.dispose]()
  }
}

/** PATH for an agent: its own programs, then the Node that runs this, whatever Node the system has. */
export function agentPath(
  agents: readonly { binDir: string }[],
  path: string | undefined = process.env['PATH'],
): string {
  return [...agents.map(({ binDir }) => binDir), dirname(process.execPath), path ?? ''].join(delimiter)
}

function cacheFolder(env: Readonly<Record<string, string | undefined>>): string {
  const set = env['XDG_CACHE_HOME']
  const base = set !== undefined && isAbsolute(set) ? set : join(env['HOME'] ?? homedir(), '.cache')
  return join(base, 'hotline-test-agents')
}

/** Beside its place first, then there in one step: what stands in the cache is whole. */
async function install(
  wanted: AgentPackage,
  cache: string,
  home: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  const unfinished = await mkdtemp(join(cache, 'unfinished-'))
  try {
    await writeFile(join(unfinished, 'package.json'), '{ "private": true }\n')
    const options = ['--no-audit', '--no-fund', '--no-save', '--loglevel=error', `--ignore-scripts=${!wanted.script}`]
    const what = `${wanted.package}@${wanted.version}`
    await run('npm', ['install', '--prefix', unfinished, ...options, what], {
      cwd: unfinished,
      env: { ...env, PATH: agentPath([], env['PATH']) },
      timeout: installTimeoutMs,
      maxBuffer: 16 * 1024 * 1024,
    })
    if (!existsSync(join(unfinished, 'node_modules', '.bin', wanted.program))) {
      throw new Error(`${what} brought no program "${wanted.program}"`)
    }
    await rm(home, { recursive: true, force: true })
    await rename(unfinished, home)
  } finally {
    await rm(unfinished, { recursive: true, force: true })
  }
}

/** The exclusive lock of SQLite on a file: the kernel gives it back when its holder ends, however it ends. */
async function takeLock(file: string): Promise<Disposable> {
  const tryOnce = (): DatabaseSync | undefined => {
    const db = new DatabaseSync(file, { timeout: 0 })
    try {
      db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE')
      return db
    } catch {
      db.close()
      return undefined
    }
  }
  const db = await waitFor(tryOnce, { what: `the lock ${file}`, deadlineMs: lockDeadlineMs, everyMs: 100 })
  return { [Symbol.dispose]: () => db.close() }
}

/** What npm said, not how it was called. */
function messageOf(error: unknown): string {
  const { stderr } = error as { stderr?: string }
  return (stderr?.trim() || String(error)).slice(0, 1_000)
}
