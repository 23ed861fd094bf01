import { existsSync, statSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import type { Report } from '@hotline/protocol/commands/agent'
import type { Isolation } from '@hotline/protocol/place'
import { type AdapterName, StartError } from '../adapters/adapter.ts'
import { type Isolator, type Made, PlaceRefusal, type Released } from '../isolation/isolator.ts'
import type { Holder } from '../process/holder.ts'
import type { SettledProfile } from '../profiles/containment.ts'
import type { AgentProfile } from '../profiles/profile.ts'
import { Redactor } from '../redact.ts'
import { fit } from './fit-report.ts'
import { secretsOf } from './launch.ts'
import { told } from './report-of.ts'
import type { ReportSink } from './reporter.ts'
import { runSetup } from './run-setup.ts'
import { sendable } from './sendable.ts'
import type { SessionLog } from './session-log.ts'

/** Names that are told of what a place lacks. */
const namesMax = 10

/** What the place of a session is made with. */
interface PlacePorts {
  isolator: Isolator
  session: string
  profile: SettledProfile
  sessionLog: SessionLog
  holder: Holder
  environment: Readonly<Record<string, string | undefined>>
  stopGraceMs: number
  /** For a fence around its set-up. */
  dataDir: string
  temporary: string
  sink: ReportSink
  signal: AbortSignal
}

/** How sessions of a profile work where nobody chose: agents beside what their person has open, programs where they are told. */
export function wishOf({ isolation, adapter }: AgentProfile): Isolation | 'by_folder' {
  return isolation ?? (speaks(adapter) ? 'by_folder' : 'in_place')
}

/**
 * The folder that a session's agent works in: that of its earlier life, or a new one, of which it is told what is not in it.
 * Undefined where the session names none. Throws a `StartError`: nothing is started elsewhere than where it was meant.
 */
export async function placeOf(ports: PlacePorts): Promise<string | undefined> {
  const { isolator, session, profile, sessionLog, signal } = ports
  const { state, wanted } = sessionLog
  const folder = wanted.cwd ?? profile.folder
  if (folder === undefined || profile.adapter === 'log' || profile.adapter === 'mcp') return wanted.cwd
  const known = isolator.known(session)
  if (known?.isReady) {
    if (existsSync(known.cwd)) return known.cwd
    throw new StartError(`The folder that this session worked in is gone: "${known.cwd}".`)
  }
  // What is wrong with the folder is said where it is used. An agent that was here before these places were, stays; one that
  // was on another machine has no place here yet.
  const wasHere = state?.startedAt !== undefined && wanted.takenOver !== true
  if (!isFolder(folder) || wasHere) return folder
  const isolation = wanted.isolation ?? (await orRefuse(isolator.standard(folder, wishOf(profile))))
  if (isolation === 'in_place') {
    isolator.inPlace(session, folder)
    return folder
  }
  const of = { folder, isolation, bring: wanted.bring ?? [], title: state?.title ?? '' }
  const made = await orRefuse(isolator.make(session, of, signal))
  const redactor = new Redactor(secretsOf(profile, ports.environment))
  ports.sink.put(fit(sendable(redactor.value(preparedReport(made))) as Report))
  if (profile.setup !== undefined)
    await runSetup({ ...ports, argv: profile.setup, cwd: made.placement.cwd, placement: made.placement })
  isolator.ready(session)
  return made.placement.cwd
}

async function orRefuse<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof PlaceRefusal)) throw error
    const instead = 'Choose another way to work (in place, or a copy), or another folder.'
    throw new StartError(`${error.message} ${instead}`, { cause: error })
  }
}

function isFolder(folder: string): boolean {
  if (!isAbsolute(folder) || folder.includes('\0')) return false
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false
}

function speaks(adapter: AdapterName): boolean {
  return adapter === 'acp' || adapter === 'claude' || adapter === 'codex'
}

function preparedReport({ placement, brought, lacks }: Made): Report {
  const { isolation, folder, from, worktree } = placement
  return {
    type: 'workspace.prepared',
    data: told({
      isolation,
      base: worktree?.base,
      uncommitted: lacks?.uncommitted.length,
      ignored: lacks?.ignored.length,
      nested: lacks?.nested.length,
      brought: brought > 0 ? brought : undefined,
    }),
    body: told({
      folder: folder ?? from,
      from,
      branch: worktree?.branch,
      uncommitted: lacks?.uncommitted.slice(0, namesMax),
      ignored: lacks?.ignored.slice(0, namesMax),
      nested: lacks?.nested.slice(0, namesMax),
    }),
  }
}

/** What became of the place of a session that is over. */
export function releasedReport({ outcome, placement, uncommitted, commits, note }: Released): Report {
  const { folder, from, worktree } = placement
  return fit(
    sendable({
      type: 'workspace.released',
      data: told({ outcome, uncommitted, commits }),
      body: told({ folder: folder ?? from, branch: worktree?.branch, note }),
    }) as Report,
  )
}
