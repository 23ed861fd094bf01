import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { teeToFiles } from './adapters/wire/tee.ts'
import { openDrivers } from './adapters/drivers.ts'
import type { Config } from './config.ts'
import { httpFiles } from './file-transfer.ts'
import type { Log } from './log.ts'
import { Isolator } from './isolation/isolator.ts'
import { openKeeperHolder } from './keeper/keeper-holder.ts'
import { childrenFolder, runnerFolder } from './process/end-orphans.ts'
import { type Fences, findFences, noFences } from './process/namespace.ts'
import { lockFolder } from './process/folder-lock.ts'
import { openLocalHolder } from './process/local-holder.ts'
import { builtinProfiles } from './profiles/builtin.ts'
import { findDemo } from './profiles/demo.ts'
import { openKnownAgents } from './profiles/known-agents.ts'
import { profilesFolder } from './profiles/read-folder.ts'
import type { ServerLink } from './server-link.ts'
import { Neighbours } from './workspace/neighbours.ts'
import { WorkspaceRecords } from './workspace/record.ts'
import { sweepStores, sweepUnused } from './workspace/sweep.ts'
import { openWorkspaces } from './workspace/workspaces.ts'
import { Supervisor } from './supervisor/supervisor.ts'

/** Told to servers and to agents. */
export const runnerVersion = '0.1.0'

/** Long enough for an agent to end what it is writing; a person who waits longer wants to know that it does not. */
const interruptTimeoutMs = 15_000

/** Makes the folder of a runner, and takes it for this process alone. Throws `FolderInUse`. */
export function takeFolder(dataDir: string): Disposable {
  const folder = runnerFolder(dataDir)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  chmodSync(folder, 0o700)
  return lockFolder(folder)
}

/** Puts a runner together, in a folder that was taken for it. Nothing is started yet. */
export function composeRunner(config: Config, link: ServerLink, log: Log): Supervisor {
  const folder = runnerFolder(config.dataDir)
  const kept = join(config.dataDir, 'workspaces')
  const forgotten = sweepStores(join(kept, 'stores'), Date.now())
  if (forgotten.length > 0) log.info('old snapshots of files were forgotten', { folders: forgotten.length })
  const workspaces = openWorkspaces({
    folder: join(kept, 'stores'),
    path: config.environment['PATH'],
    never: [config.dataDir],
  })
  const records = new WorkspaceRecords(join(kept, 'sessions'))
  const isolator = new Isolator({ folder: join(config.dataDir, 'worktrees'), environment: config.environment })
  void isolator.sweep().then(
    (folders) => folders.length > 0 && log.info('places that hold nothing new were removed', { folders }),
    (error: unknown) => log.warn('places not swept', { error: String(error) }),
  )
  const files = join(folder, 'files')
  sweepUnused(files, Date.now())
  const tee = config.debug.includes('wire') ? { tee: teeToFiles(join(folder, 'wire')) } : {}
  const { environment, reach } = config
  const warn = (what: string, facts: Record<string, unknown>): void => log.warn(what, facts)
  const keeps = config.hasKeeper ? 'agents' : 'nothing'
  // Without sockets that have an owner and a mode, nobody but us may hold an agent.
  const holder =
    process.platform === 'win32'
      ? openLocalHolder({ folder: childrenFolder(config.dataDir), reach })
      : openKeeperHolder({ folder, keeps, environment, reach, warn })
  return new Supervisor(
    {
      link,
      transfer: httpFiles(config.url, { kind: 'token', token: config.token }),
      holder,
      log,
      agents: openKnownAgents(builtinProfiles(findDemo()), profilesFolder(config.dataDir)),
      drivers: openDrivers({ version: runnerVersion, ...tee }),
      environment: config.environment,
      dataDir: config.dataDir,
      versionsFolder: makeEmpty(join(folder, 'empty')),
      sessionsFolder: join(folder, 'sessions'),
      scratchFolder: join(config.dataDir, 'scratch'),
      fences: fencesOf(config),
      desksFolder: join(folder, 'desks'),
      filesFolder: files,
      isolator,
      files: { workspaces, records, neighbours: new Neighbours() },
      spoolBytes: config.spoolBytes,
      diskReserveBytes: config.diskReserveBytes,
      stopGraceMs: config.stopGraceMs,
      interruptTimeoutMs,
    },
    {
      name: config.name,
      version: runnerVersion,
      platform: process.platform,
      sessionsMax: config.sessionsMax,
      ...(config.labels.length === 0 ? {} : { labels: [...config.labels] }),
    },
  )
}

/** Looked at once: what holds for a runner holds for all its agents. */
function fencesOf({ hasFences, reach, environment }: Config): () => Promise<Fences> {
  let found: Promise<Fences> | undefined
  return () => (found ??= hasFences && reach === 'best' ? findFences(environment['PATH']) : Promise.resolve(noFences))
}

function makeEmpty(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}
