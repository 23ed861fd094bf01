import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Envelope } from '@hotline/protocol/event'
import type { Evidence } from '@hotline/protocol/evidence'
import type { DataOf } from '@hotline/protocol/events'
import { holdsAgent, isLive } from '@hotline/protocol/session-status'
import type { Survivor } from '../process/lasting.ts'
import { Outbox } from '../spool/outbox.ts'
import { Spool } from '../spool/spool.ts'
import { ActorFiles } from './actor-files.ts'
import type { ActorPorts } from './actor-ports.ts'
import { AgentLife } from './agent-life.ts'
import { Departure } from './departure.ts'
import { settleDoubts } from './doubts.ts'
import { releasedReport } from './place-of.ts'
import { SessionReader } from './session-reader.ts'

/** Somebody wants something of the files. */
const looked: readonly string[] = ['undo.requested', 'undo.approved', 'draft.requested', 'draft.reviewed']

/** What was reported of an end comes back within this, or the place of the session is looked at in another life. */
const restsWithinMs = 10_000

/**
 * One session on this machine, from the moment somebody wants it until nothing of it is left to do here. It follows the
 * session's stream, holds its lease, runs its agent, and stays until everything that is to be said about it is delivered.
 */
export class SessionActor {
  readonly session: string
  readonly #ports: ActorPorts
  readonly #stream: string
  readonly #spool: Spool
  readonly #outbox: Outbox
  readonly #reader: SessionReader
  readonly #starting = new AbortController()
  readonly #leaseSeen = Promise.withResolvers<void>()
  /** The session has no agent any more, as its log says. */
  #onRest: () => void = () => undefined
  readonly #departure: Departure
  readonly #files: ActorFiles
  readonly #life: AgentLife
  #fence: number | undefined
  /** Nobody hears us any more: another runner holds the session, or it is no longer ours to see. */
  #isLost = false
  #isStopping = false
  /** Its agent, if an earlier life left it in good hands. */
  #survivor: Survivor | undefined

  constructor(ports: ActorPorts, session: string) {
    this.session = session
    this.#ports = ports
    this.#stream = `session:${session}`
    const folder = join(ports.sessionsFolder, session)
    this.#spool = new Spool(join(folder, 'spool.jsonl'), ports.spoolBytes)
    this.#reader = new SessionReader(ports.link, this.#stream, join(folder, 'memo.json'), ports.log, {
      happened: (event) => this.#happened(event),
      urgent: (event) => this.#life.run?.followed(event),
      recalled: (event) => this.#life.run?.recalled(event),
      replaced: () => {
        if (!isLive(this.#reader.log.state?.status ?? 'aborted')) this.#endedElsewhere()
        this.#life.happened()
        this.#life.run?.catchUp()
      },
      gone: () => this.#lose(),
    })
    this.#outbox = new Outbox(ports.link, this.#stream, this.#spool, ports.log, (problem) => {
      ports.log.warn('session lost', { session, code: problem.code })
      this.#lose()
    })
    const { log: sessionLog } = this.#reader
    const [spool, outbox] = [this.#spool, this.#outbox]
    this.#departure = new Departure({
      sessionLog,
      put: (report) => outbox.put(this.#life.masked(report)),
      isStopping: () => this.#isStopping,
      reach: () => this.#life.agent?.tree?.reach,
    })
    this.#files = new ActorFiles({ session, ports, sessionLog, outbox })
    this.#life = new AgentLife({
      session,
      ports,
      sessionLog,
      spool,
      outbox,
      files: this.#files,
      departure: this.#departure,
      starting: this.#starting.signal,
      isUnwanted: () => this.#isLost || this.#isStopping,
      controlBeforeRun: () => this.#controlBeforeRun(),
      remember: () => this.#reader.remember(),
      onKill: (control) => this.#kill(control),
    })
  }

  /** The fence under which this runner holds the session, or held it. */
  get fence(): number | undefined {
    return this.#fence
  }

  /** What can be seen of the agent now; undefined where there is none. */
  look(): Promise<Evidence | undefined> {
    return this.#life.look()
  }

  /** Does all there is to do. Resolves when nothing is left, or after `stop`. */
  async work(): Promise<void> {
    this.#survivor = this.#ports.holder.lasting?.find(this.session)
    try {
      if ((await this.#reader.open()) === 'gone') return
      await this.#deliverEarlierLife()
      if (!this.#isLost && !this.#isStopping && (await this.#takeLease())) await this.#hold()
      const isOurs = (): boolean => !this.#isLost && !this.#isStopping
      await this.#files.finish(isOurs, (fence) => this.#openUnder(fence))
      if (isOurs()) await this.#releasePlace()
    } finally {
      await this.#survivor?.end(this.#ports.stopGraceMs)
      await this.#outbox.close()
      this.#forgetFiles()
      this.#putAway()
    }
  }

  /** Ends the agent and reports that; what cannot be delivered until `deadline` waits on the disk. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#isStopping = true
    this.#reader.giveUp()
    this.#onRest()
    this.#leaseSeen.resolve()
    this.#starting.abort()
    await this.#life.agent?.stop(this.#ports.stopGraceMs)
    deadline.addEventListener('abort', () => void this.#outbox.close(), { once: true })
    if (deadline.aborted) await this.#outbox.close()
  }

  #happened(event: Envelope): void {
    const { state } = this.#reader.log
    if (state && !holdsAgent(state.status)) this.#onRest()
    this.#life.happened()
    this.#life.run?.followed(event)
    if (!this.#life.run && event.type === 'control.requested') this.#controlBeforeRun()
    if (looked.includes(event.type)) this.#files.look()
    if (event.type === 'session.state_changed' && state && !isLive(state.status)) this.#endedElsewhere()
    const isGiven = event.type === 'session.lease_taken' || event.type === 'session.taken_over'
    if (isGiven) this.#leaseTaken(state?.lease?.fence)
  }

  #leaseTaken(fence: number | undefined): void {
    if (this.#fence === undefined || fence === undefined || fence < this.#fence) return
    if (fence === this.#fence) this.#leaseSeen.resolve()
    else this.#lose()
  }

  /** Reports and doubts of an earlier life of this runner, under the lease that it had then. */
  async #deliverEarlierLife(): Promise<void> {
    const fence = this.#spool.fence
    if (fence === undefined) return
    const { signal } = this.#starting
    this.#outbox.open(fence)
    // Of an agent that is alive, there is no doubt: it is known what it has.
    if (!this.#survivor) await this.#settleDoubts()
    await this.#outbox.flush(signal)
  }

  #settleDoubts(): Promise<void> {
    const ports = { spool: this.#spool, outbox: this.#outbox, sessionLog: this.#reader.log }
    return settleDoubts(ports, this.#starting.signal)
  }

  /** False where there is nothing to hold: the session is over, or somebody else's, or nobody wants it back. */
  async #takeLease(): Promise<boolean> {
    const { state } = this.#reader.log
    if (!state || !isLive(state.status)) return false
    if (state.runner !== undefined && state.runner !== this.#ports.runner) return false
    if (state.status === 'interrupted' && !state.resuming) return false
    const outcome = await this.#ports.link.command(this.#stream, 'lease.take', {}, { signal: this.#starting.signal })
    if (!outcome.ok) {
      this.#ports.log.info('lease not taken', { session: this.session, code: outcome.problem.code })
      return false
    }
    const { fence } = outcome.accepted
    if (fence === undefined) throw new Error('lease.take was answered without a fence')
    this.#fence = fence
    if (this.#reader.log.state?.lease?.fence === fence) this.#leaseSeen.resolve()
    this.#spool.lease(fence)
    this.#outbox.open(fence)
    // Everything before the lease is folded once the lease itself was seen: only then is it clear where the session stands.
    await this.#leaseSeen.promise
    return !this.#isStopping && !this.#isLost
  }

  async #hold(): Promise<void> {
    const { state } = this.#reader.log
    const survivor = this.#survivor
    this.#survivor = undefined
    const isRunning = state?.status === 'active' || state?.status === 'paused'
    if (survivor && isRunning && (await this.#life.goOnWith(survivor))) return
    if (survivor) {
      await survivor.end(0)
      await this.#settleDoubts()
    }
    await this.#life.start()
  }

  /** What was told last of its end is in the log, and comes back in a moment. */
  async #rest(): Promise<void> {
    if (!holdsAgent(this.#reader.log.state?.status ?? 'aborted')) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#onRest = resolve
    const timer = setTimeout(resolve, restsWithinMs)
    await promise
    clearTimeout(timer)
  }

  /** What was made for the session goes with it, unless there is work in it. */
  async #releasePlace(): Promise<void> {
    const { isolator, log } = this.#ports
    if (!isolator?.known(this.session)) return
    await this.#rest()
    const { state } = this.#reader.log
    if (!state || isLive(state.status) || this.#isLost || this.#isStopping) return
    const released = await isolator.release(this.session)
    if (!released) return
    log.info('place released', { session: this.session, outcome: released.outcome, note: released.note })
    if (state.lease?.runner !== this.#ports.runner) return
    this.#openUnder(state.lease.fence)
    this.#outbox.put(this.#life.masked(releasedReport(released)))
    await this.#outbox.flush()
  }

  /** What came with messages is of no more use when the session is over. */
  #forgetFiles(): void {
    const { state } = this.#reader.log
    if (state && isLive(state.status)) return
    rmSync(join(this.#ports.filesFolder, this.session), { recursive: true, force: true })
  }

  /** Something is to be told by a runner that has taken no lease in this life: under the one that it had. */
  #openUnder(fence: number): void {
    if (this.#fence !== undefined) return
    this.#fence = fence
    this.#spool.lease(fence)
    this.#outbox.open(fence)
  }

  /** People may end a session whose agent is not there yet. */
  #controlBeforeRun(): void {
    for (const control of this.#reader.log.controls) if (control.action === 'kill') this.#kill(control)
  }

  #kill(control: DataOf<'control.requested'>): void {
    if (!this.#departure.wanted(control)) return
    if (this.#life.agent) void this.#life.agent.stop(this.#ports.stopGraceMs)
    else this.#starting.abort()
  }

  /** A person ended the session while this machine was out of contact: what is left of its agent ends now. */
  #endedElsewhere(): void {
    this.#starting.abort()
    void this.#life.agent?.stop(this.#ports.stopGraceMs)
  }

  #lose(): void {
    this.#isLost = true
    this.#leaseSeen.resolve()
    this.#onRest()
    this.#starting.abort()
    void this.#life.agent?.stop(0)
  }

  #putAway(): void {
    this.#files.leave()
    if (this.#isLost) this.#spool.setAside()
    else if (!this.#departure.isToGoOn && this.#spool.waiting.length === 0 && this.#spool.intents.size === 0)
      this.#spool.remove()
    else this.#spool.close()
    this.#reader.close(this.#isLost ? 'nothing' : 'session')
  }
}
