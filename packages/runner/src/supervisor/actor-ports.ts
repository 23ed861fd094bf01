import type { Drivers } from '../adapters/drivers.ts'
import type { FileTransfer } from '../file-transfer.ts'
import type { Isolator } from '../isolation/isolator.ts'
import type { Log } from '../log.ts'
import type { Holder } from '../process/holder.ts'
import type { Fences } from '../process/namespace.ts'
import type { KnownAgents } from '../profiles/known-agents.ts'
import type { ServerLink } from '../server-link.ts'
import type { KeptFiles } from './open-files.ts'

/** What all sessions of a runner share. */
export interface ActorPorts {
  link: ServerLink
  transfer: FileTransfer
  holder: Holder
  log: Log
  /** This runner's id, as the server knows it. */
  runner: string
  agents: KnownAgents
  drivers: Drivers
  environment: Readonly<Record<string, string | undefined>>
  /** Everything that Hotline keeps on this machine. */
  dataDir: string
  /** Where programs are asked for their version: a folder that is empty. */
  versionsFolder: string
  /** Where spools and scratch folders are. */
  sessionsFolder: string
  scratchFolder: string
  /** What fences agents are behind where nobody says otherwise. */
  fences: () => Promise<Fences>
  /** Where the desks of sessions are. */
  desksFolder: string
  /** Where files of messages are brought, for each session a folder. */
  filesFolder: string
  /** Bytes of reports that one session may hold back. */
  spoolBytes: number
  /** With less than this on its disk nothing is started; absent: whatever is left. */
  diskReserveBytes?: number | undefined
  /** Absent: every session works in the folder that it names. */
  isolator?: Isolator | undefined
  /** Absent: no snapshots of files are kept. */
  files?: KeptFiles | undefined
  /** What an agent is given to end by itself. */
  stopGraceMs: number
  /** An agent that does not end its turn within this is not stopping: the person is told, and may end the session. */
  interruptTimeoutMs: number
}
