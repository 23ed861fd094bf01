import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { Unavailable } from './subject.ts'

/** A package that is measured and is no dependency of ours: whoever does not measure need not have it. */
export interface Peer {
  name: string
  version: string
}

/** A registry that does not answer by then is away. */
const installTimeoutMs = 60_000

/**
 * The main module of a peer, installed with npm when it is first wanted, into the user's cache directory. None of its
 * install scripts run. Throws `Unavailable` where it cannot be had.
 */
export async function installPeer({ name, version }: Peer, signal: AbortSignal): Promise<string> {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'hotline-bench')
  const folder = join(cache, `${name.replace(/[^a-z0-9]+/g, '-')}-${version}`)
  if (!existsSync(folder)) await install(`${name}@${version}`, folder, signal)
  return createRequire(join(folder, 'from-here.js')).resolve(name)
}

/** Installs beside the folder and moves what is whole: one that was interrupted leaves nothing that looks complete. */
async function install(spec: string, folder: string, signal: AbortSignal): Promise<void> {
  await mkdir(dirname(folder), { recursive: true })
  const building = await mkdtemp(`${folder}-`)
  try {
    const flags = [
      '--no-save',
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      '--loglevel=error',
      '--fetch-retries=0',
      '--prefix',
      building,
    ]
    await promisify(execFile)('npm', ['install', ...flags, spec], { cwd: building, timeout: installTimeoutMs, signal })
    await rename(building, folder)
  } catch (error) {
    // Another run may have been quicker.
    if (existsSync(folder)) return
    throw new Unavailable(`${spec} cannot be installed: ${reasonOf(error)}`)
  } finally {
    await rm(building, { recursive: true, force: true })
  }
}

/** What npm said first, or why it could not be asked. */
function reasonOf(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).split('\n', 1)[0] : undefined
  if (said !== undefined && said !== '') return said
  return error instanceof Error ? error.message : String(error)
}
