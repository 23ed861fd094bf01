import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { problem } from '@hotline/protocol/error'
import { openDrivers } from '../src/adapters/drivers.ts'
import type { FileTransfer } from '../src/file-transfer.ts'
import { openLog } from '../src/log.ts'
import { Isolator } from '../src/isolation/isolator.ts'
import { openKeeperHolder } from '../src/keeper/keeper-holder.ts'
import { findFences, noFences } from '../src/process/namespace.ts'
import { type HolderReach, openLocalHolder } from '../src/process/local-holder.ts'
import { builtinProfiles } from '../src/profiles/builtin.ts'
import { openKnownAgents } from '../src/profiles/known-agents.ts'
import { profilesFolder } from '../src/profiles/read-folder.ts'
import type { AgentProfile } from '../src/profiles/profile.ts'
import type { ServerLink } from '../src/server-link.ts'
import { Neighbours } from '../src/workspace/neighbours.ts'
import { WorkspaceRecords } from '../src/workspace/record.ts'
import { openWorkspaces } from '../src/workspace/workspaces.ts'
import { Supervisor } from '../src/supervisor/supervisor.ts'
import { profileOf } from './profile-of.ts'

export const demoAgent: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL('../bin/demo-agent.js', import.meta.resolve('@hotline/demo-agent/main'))),
]

export interface ComposeOptions {
  /** Holds all state, and the script of the agent `scripted`. */
  folder: string
  link: ServerLink
  /** Absent: there are no files. */
  transfer?: FileTransfer
  write: (line: string) => void
  profiles?: readonly AgentProfile[]
  environment?: Readonly<Record<string, string | undefined>>
  spoolBytes?: number
  diskReserveBytes?: number
  /** Snapshots of the files of sessions are kept. */
  keepsFiles?: true
  stopGraceMs?: number
  interruptTimeoutMs?: number
  silenceMs?: number
  /** By which means agents are kept together with what they start. */
  reach?: HolderReach
  /** `false`: as where a machine can make none. */
  fences?: false
  /** Whether agents outlive the runner. */
  holds?: Holds
}

/** `without keeper`: as with the setting off, in a folder where there may have been one. */
export type Holds = 'itself' | 'by keeper' | 'without keeper'

const nothing = { ok: false, problem: problem('not_found', 'There are no files here.') } as const
const noFiles: FileTransfer = { open: () => Promise.resolve(nothing), put: () => Promise.resolve(nothing) }

function keepFiles(dataDir: string): NonNullable<ConstructorParameters<typeof Supervisor>[0]['files']> {
  const folder = join(dataDir, 'workspaces')
  const workspaces = openWorkspaces({ folder: join(folder, 'stores'), path: process.env['PATH'], never: [dataDir] })
  return { workspaces, neighbours: new Neighbours(), records: new WorkspaceRecords(join(folder, 'sessions')) }
}

/** A runner as tests want it: small bounds, a scripted agent, nothing from outside. */
export function composeBench(options: ComposeOptions): Supervisor {
  const { folder, link, transfer = noFiles, write, holds = 'itself', reach } = options
  const dataDir = join(folder, '.hotline')
  const scripted = { ...profileOf('scripted', {}), argv: [...demoAgent, '--script', join(folder, 'script.json')] }
  const profiles = [...builtinProfiles([...demoAgent, '--pace', '0']), scripted, ...(options.profiles ?? [])]
  const log = openLog(write, process.env['HOTLINE_DEBUG'] === undefined ? [] : ['*'])
  const keeps = holds === 'by keeper' ? 'agents' : 'nothing'
  const warn = (what: string, facts: Record<string, unknown>): void => log.warn(what, facts)
  const holder =
    holds === 'itself'
      ? openLocalHolder({ folder: join(dataDir, 'children'), ...(reach === undefined ? {} : { reach }) })
      : openKeeperHolder({
          folder: dataDir,
          keeps,
          environment: process.env,
          warn,
          ...(reach === undefined ? {} : { reach }),
        })
  return new Supervisor(
    {
      link,
      transfer,
      holder,
      log,
      agents: openKnownAgents(profiles, profilesFolder(dataDir)),
      drivers: openDrivers({ version: '0.0.0', silenceMs: options.silenceMs }),
      environment: options.environment ?? { PATH: process.env['PATH'], HOME: folder, LANG: 'C.UTF-8' },
      dataDir,
      fences: () => (options.fences === false ? Promise.resolve(noFences) : findFences(process.env['PATH'])),
      versionsFolder: folder,
      sessionsFolder: join(dataDir, 'sessions'),
      desksFolder: join(dataDir, 'desks'),
      filesFolder: join(dataDir, 'files'),
      scratchFolder: join(dataDir, 'scratch'),
      isolator: new Isolator({
        folder: join(dataDir, 'worktrees'),
        environment: { PATH: process.env['PATH'], HOME: folder },
      }),
      ...(options.keepsFiles ? { files: keepFiles(dataDir) } : {}),
      spoolBytes: options.spoolBytes ?? 8 * 1024 * 1024,
      diskReserveBytes: options.diskReserveBytes,
      stopGraceMs: options.stopGraceMs ?? 2_000,
      interruptTimeoutMs: options.interruptTimeoutMs ?? 10_000,
    },
    { name: 'bench', version: '0.0.0', platform: process.platform, sessionsMax: 150 },
  )
}
