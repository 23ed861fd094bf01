import type { DataOf } from '@hotline/protocol/events'
import type { Exit } from '@hotline/protocol/events/session'
import type { AgentFacts, AgentSession, Heard } from '../adapters/adapter.ts'
import type { RecordedCall } from '../adapters/recorded.ts'
import type { Desk } from '../desk/desk.ts'
import type { FileTransfer } from '../file-transfer.ts'
import type { Log } from '../log.ts'
import type { AutoExit } from '../profiles/interactive.ts'
import type { Redactor } from '../redact.ts'
import type { Spool } from '../spool/spool.ts'
import type { Screen } from '../terminal/screen.ts'
import type { AttachedFiles } from './attached-files.ts'
import type { AutoEnd } from './auto-exit.ts'
import type { Reporter } from './reporter.ts'
import type { SessionFiles } from './session-files.ts'
import type { SessionLog } from './session-log.ts'

/** How an agent's run came to its end. */
export interface RunEnd {
  exit: Exit
  /** Why it was given up, where its end was ours. */
  fault?: string | undefined
  heard?: Heard | undefined
}

/** What a run works with. */
export interface RunPorts {
  session: string
  agentName: string
  cwd: string
  envNames: readonly string[]
  /** Where our own programs are looked for. */
  path: string | undefined
  agent: AgentSession
  /** Where the programs that it starts can reach people; absent where this machine has no such place. */
  desk?: Desk | undefined
  /** Makes a call once more that was made, without noting it. */
  callAgain: (call: RecordedCall) => Promise<unknown>
  sessionLog: SessionLog
  /** The folders that it works in, the one that it began in first. */
  place: readonly string[]
  transfer: FileTransfer
  /** Brings what comes with messages. */
  attached: AttachedFiles
  reporter: Reporter
  redactor: Redactor
  spool: Spool
  log: Log
  /** What a terminal shows; absent where there is none. */
  screen?: Screen | undefined
  /** Absent where there are no files of a person's. */
  files?: SessionFiles | undefined
  interruptTimeoutMs: number
  /** False: what the session was started with is all that the agent hears. */
  takesInput: boolean
  autoExit: AutoExit | undefined
  /** What its profile makes of what it says of itself. */
  asConfigured: (facts: AgentFacts) => AgentFacts
  /** Its profile wants it to end now. */
  onAutoEnd: (end: AutoEnd) => void
  /** A person wants everything to end. */
  onKill: (control: DataOf<'control.requested'>) => void
}
