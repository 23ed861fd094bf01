import { holdsAgent } from '@hotline/protocol/session-status'
import { runsProgram } from '../adapters/adapter.ts'
import type { AgentProfile, ReviewTime } from '../profiles/profile.ts'
import type { Redactor } from '../redact.ts'
import type { Outbox } from '../spool/outbox.ts'
import type { ActorPorts } from './actor-ports.ts'
import { commitsOf } from './commits-of.ts'
import { openFiles, redactorOf } from './open-files.ts'
import type { SessionFiles } from './session-files.ts'
import type { SessionLog } from './session-log.ts'

/** Whose files they are. */
interface FilesOf {
  session: string
  ports: ActorPorts
  sessionLog: SessionLog
  outbox: Outbox
}

/** The files of a session for as long as something may be asked of them: with an agent, and when it is gone. */
export class ActorFiles {
  readonly #of: FilesOf
  #files: SessionFiles | undefined
  #isFinished = false
  #reviews: ReviewTime = 'each_turn'

  constructor(of: FilesOf) {
    this.#of = of
  }

  /** Undefined where there are none of a person's. */
  get now(): SessionFiles | undefined {
    return this.#files
  }

  /** How the files are before the agent touches them, and who wants something undone of an earlier life. */
  async keep(folder: string, redactor: Redactor, profile: Pick<AgentProfile, 'adapter' | 'review'>): Promise<void> {
    const { adapter, review } = profile
    this.#reviews = review ?? 'each_turn'
    if (adapter === 'log' || adapter === 'mcp') return
    this.#files = this.#open(folder, redactor, runsProgram(adapter) ? 'always' : 'turns')
    await this.#files?.begin()
    this.look()
  }

  /** Somebody may want something undone, or reviewed. */
  look(): void {
    if (this.#isFinished) return
    if (this.#files) return void this.#files.look()
    const { draft } = this.#of.sessionLog.state ?? {}
    if (draft?.phase !== 'wanted') return
    const reason = 'Of the files of this session no snapshots are kept, so nobody can say what its agent changed.'
    this.#of.outbox.put({ type: 'draft.refused', data: { draft: draft.draft }, body: { reason } })
  }

  /** What is asked while the last things are told is done as well; from then on it is for another life. */
  async finish(isOurs: () => boolean, openUnder: (fence: number) => void): Promise<void> {
    do {
      await this.#files?.settled()
      if (isOurs()) await this.#undoAfterwards(openUnder)
      await this.#of.outbox.flush()
    } while (this.#files?.isAsked === true && isOurs())
    this.#isFinished = true
  }

  /** Nothing of it runs here any more. */
  leave(): void {
    this.#files?.leave()
  }

  /** No agent is there, and what it did shall be undone all the same, under the lease that this runner had. */
  async #undoAfterwards(openUnder: (fence: number) => void): Promise<void> {
    const { session, ports, sessionLog, outbox } = this.#of
    const { state } = sessionLog
    const { files: kept, agents, environment } = ports
    const record = kept?.records.read(session)
    if (!state?.undo || state.undo.phase === 'planned' || state.lease?.runner !== ports.runner) return
    if (holdsAgent(state.status)) return
    openUnder(state.lease.fence)
    this.#files ??=
      record && this.#open(record.root, redactorOf(agents.now.profiles.get(state.agent), environment), 'turns')
    if (this.#files) return this.#files.look()
    const reason = 'This machine has kept no snapshots of the files of this session.'
    outbox.put({ type: 'undo.refused', data: { undo: state.undo.undo }, body: { reason } })
  }

  #open(folder: string, redactor: Redactor, works: 'turns' | 'always'): SessionFiles | undefined {
    const { session, ports, sessionLog, outbox } = this.#of
    const { files, log, isolator } = ports
    const commits = isolator && commitsOf(isolator, session, () => sessionLog.state?.agent ?? '', folder)
    const of = { session, folder, redactor, works, reviews: this.#reviews, read: sessionLog, log, commits }
    return files && openFiles(files, { ...of, put: (report) => outbox.put(report) })
  }
}
