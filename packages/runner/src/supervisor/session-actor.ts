import { join } from 'node:path'
import type { Envelope } from '@hotline/protocol/event'
import type { Evidence } from '@hotline/protocol/evidence'
import type { DataOf } from '@hotline/protocol/events'
import { limits } from '@hotline/protocol/limits'
import type { TreeReach } from '@hotline/protocol/process-tree'
import { holdsAgent, isLive } from '@hotline/protocol/session-status'
import { type AgentSession, outlivesRunner, runsProgram, StartError } from '../adapters/adapter.ts'
import type { Desk } from '../desk/desk.ts'
import { callAgent, recordCalls } from '../adapters/recorded.ts'
import type { Keeping, Survivor } from '../process/lasting.ts'
import { asConfigured } from '../profiles/abilities.ts'
import type { AgentProfile } from '../profiles/profile.ts'
import { Redactor } from '../redact.ts'
import { Outbox } from '../spool/outbox.ts'
import { Spool } from '../spool/spool.ts'
import { Screen } from '../terminal/screen.ts'
import type { ActorPorts } from './actor-ports.ts'
import { AgentRun } from './agent-run.ts'
import type { AutoEnd } from './auto-exit.ts'
import { type Ending, endReport, goalReport, stateReport } from './endings.ts'
import { catchUp, type Found, type KeepMemo, readMemo, releasable, termsOf, whereToBegin } from './keep.ts'
import { defaultSize, planLaunch, refuseToStart, whatToStart, whyNone } from './launch.ts'
import { openDeskOf } from './open-desk-of.ts'
import { openFiles, redactorOf } from './open-files.ts'
import { Reporter } from './reporter.ts'
import type { RunEnd, RunPorts } from './run-ports.ts'
import type { SessionFiles } from './session-files.ts'
import { SessionReader } from './session-reader.ts'
import { tellReady } from './tell-ready.ts'

/** Who asked for a session from elsewhere comes at once, or not at all. */
const comesWithinMs = 60_000

/** An agent that is heard: as it was started, or as it was found. */
interface Heard {
  agent: AgentSession
  memo: KeepMemo
  desk?: Desk | undefined
  /** Absent where it ends with this process. */
  keeping?: Keeping | undefined
  /** Where it was found. */
  found?: Found | undefined
}

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
  #fence: number | undefined
  #agent: AgentSession | undefined
  #run: AgentRun | undefined
  #kills: DataOf<'control.requested'>[] = []
  #autoEnd: AutoEnd | undefined
  #files: SessionFiles | undefined
  #isFinished = false
  /** Nobody hears us any more: another runner holds the session, or it is no longer ours to see. */
  #isLost = false
  #isStopping = false
  /** The next life of this runner goes on with it, as if nothing had happened. */
  #isToGoOn = false
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
      urgent: (event) => this.#run?.followed(event),
      recalled: (event) => this.#run?.recalled(event),
      replaced: () => {
        if (!isLive(this.#reader.log.state?.status ?? 'aborted')) this.#endedElsewhere()
        this.#run?.catchUp()
      },
      gone: () => this.#lose(),
    })
    this.#outbox = new Outbox(ports.link, this.#stream, this.#spool, ports.log, (problem) => {
      ports.log.warn('session lost', { session, code: problem.code })
      this.#lose()
    })
  }

  /** The fence under which this runner holds the session, or held it. */
  get fence(): number | undefined {
    return this.#fence
  }

  /** What can be seen of the agent now; undefined where there is none. */
  async look(): Promise<Evidence | undefined> {
    if (!this.#agent || !this.#run) return undefined
    const tree = await this.#agent.tree?.sample()
    const { lastOutputAt } = this.#run
    return { ...(lastOutputAt === undefined ? {} : { lastOutputAt }), ...(tree ? { tree } : {}) }
  }

  /** Does all there is to do. Resolves when nothing is left, or after `stop`. */
  async work(): Promise<void> {
    this.#survivor = this.#ports.holder.lasting?.find(this.session)
    try {
      if ((await this.#reader.open()) === 'gone') return
      await this.#deliverEarlierLife()
      if (!this.#isLost && !this.#isStopping && (await this.#takeLease())) await this.#hold()
      await this.#finish()
    } finally {
      await this.#survivor?.end(this.#ports.stopGraceMs)
      await this.#outbox.close()
      this.#putAway()
    }
  }

  /** Ends the agent and reports that; what cannot be delivered until `deadline` waits on the disk. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#isStopping = true
    this.#reader.giveUp()
    this.#leaseSeen.resolve()
    this.#starting.abort()
    await this.#agent?.stop(this.#ports.stopGraceMs)
    deadline.addEventListener('abort', () => void this.#outbox.close(), { once: true })
    if (deadline.aborted) await this.#outbox.close()
  }

  #happened(event: Envelope): void {
    const { state } = this.#reader.log
    this.#run?.followed(event)
    if (!this.#run && event.type === 'control.requested') this.#controlBeforeRun()
    if (event.type === 'undo.requested' || event.type === 'undo.approved') this.#look()
    if (event.type === 'session.state_changed' && state && !isLive(state.status)) this.#endedElsewhere()
    if (event.type === 'session.lease_taken') this.#leaseTaken(state?.lease?.fence)
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

  async #settleDoubts(): Promise<void> {
    const { signal } = this.#starting
    const claims: Promise<void>[] = []
    for (const [id, intent] of this.#spool.intents) {
      if (intent.what === 'prompt' && intent.message !== undefined) claims.push(this.#settleClaim(id, intent.message))
      else {
        if (intent.what === 'answer') {
          this.#outbox.put({ type: 'approval.dispatch_unknown', data: { approval: intent.approval } })
        }
        this.#spool.conclude(id)
      }
    }
    await this.#outbox.flush(signal)
    if (!signal.aborted) await Promise.all(claims)
  }

  /** A claim without which nothing was handed over, and which the log does not take, leaves no doubt: the message waits. */
  async #settleClaim(intent: string, message: string): Promise<void> {
    const claim = this.#spool.waiting.findLast(
      ({ report: { type, data } }) => type === 'message.delivered' && data['message'] === message,
    )
    const isWaiting = this.#reader.log.state?.queue.some((queued) => queued.message === message)
    if (claim === undefined && isWaiting) return this.#spool.conclude(intent)
    const fate = claim === undefined ? 'kept' : await this.#outbox.fateOf(claim.n)
    if (fate === 'lost') return
    if (fate === 'kept') this.#outbox.put({ type: 'message.delivery_unknown', data: { message } })
    this.#spool.conclude(intent)
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
    if (survivor && isRunning && (await this.#goOnWith(survivor))) return
    if (survivor) {
      await survivor.end(0)
      await this.#settleDoubts()
    }
    const { profile, native, mode } = whatToStart(this.#reader.log, this.#ports.agents)
    const goesOn = state?.status === 'active' && profile !== undefined && outlivesRunner(profile.adapter)
    // Our own earlier life had an agent, which went with it. A session that was only starting has not had one yet.
    if (!goesOn && (state?.status === 'active' || state?.status === 'paused')) {
      return this.#reportEnd({ exit: undefined, adapter: 'acp', isKilled: this.#kills.length > 0, isStopping: false })
    }
    let redactor = new Redactor([])
    let desk: Desk | undefined
    try {
      if (!profile) throw new StartError(whyNone(this.#ports.agents, state?.agent ?? ''))
      refuseToStart(profile, this.#reader.log.state?.unasked === true ? 'unasked' : 'asked')
      const { environment: from, scratchFolder, holder, drivers, log } = this.#ports
      const wanted = { ...this.#reader.log.wanted, mode }
      const used = state?.usage
      desk = await openDeskOf(this.#ports, this.session, profile)
      const { session } = this
      const plan = planLaunch({ session, profile, wanted, native, used, from, scratchFolder, desk: desk?.file })
      if (plan.refused.length > 0) log.warn('variables refused', { session: this.session, names: plan.refused })
      const driver = drivers.get(profile.adapter)
      if (!driver) throw new StartError(`This runner has no adapter "${profile.adapter}".`)
      const secrets = desk ? [...plan.secrets, { name: 'of this session', value: desk.token }] : plan.secrets
      redactor = new Redactor(secrets)
      await this.#keepFiles(plan.spec.cwd, redactor, profile.adapter)
      const memo = { profile, spec: plan.spec, secrets, desk: desk?.file }
      const keeping = outlivesRunner(profile.adapter) ? undefined : holder.lasting?.keep(termsOf(memo))
      const agent = await driver.start(plan.spec, keeping?.holder ?? holder, this.#starting.signal)
      this.#agent = agent
      this.#spool.begin(plan.spec.run)
      if (profile.adapter === 'mcp') {
        if (!desk) throw new StartError('On this machine no agent from elsewhere can reach a session.')
        void desk.left(comesWithinMs).then(() => agent.stop(0))
      }
      await this.#runAgent({ agent, memo, keeping, desk })
    } catch (error) {
      if (!(error instanceof StartError)) throw error
      this.#ports.log.warn('agent not started', { session: this.session })
      this.#notStarted(redactor.text(error.message))
    } finally {
      await desk?.[Symbol.asyncDispose]()
    }
  }

  /** Takes up an agent that an earlier life has left. False where that cannot be done: then it is ended. */
  async #goOnWith(survivor: Survivor): Promise<boolean> {
    const { log, drivers } = this.#ports
    const { session } = this
    const { told } = this.#spool
    const memo = readMemo(survivor)
    const driver = memo && drivers.get(memo.profile.adapter)
    const from = memo && told?.run === memo.spec.run ? whereToBegin(memo.profile.adapter, told, survivor) : undefined
    if (!driver || !from) {
      log.warn('agent cannot be taken up', { session, why: 'What is needed of its output is not there any more.' })
      return false
    }
    const attachment = survivor.attach(from)
    const desk = await openDeskOf(this.#ports, session, memo.profile, memo.desk)
    try {
      await this.#keepFiles(memo.spec.cwd, new Redactor(memo.secrets), memo.profile.adapter)
      const starting = driver.start(memo.spec, attachment.holder, this.#starting.signal)
      const agent = await Promise.race([starting, attachment.failed])
      this.#agent = agent
      log.info('agent taken up', { session, agent: memo.profile.agent, pid: survivor.pid })
      return await this.#runAgent({ agent, memo, keeping: attachment, found: { survivor, attachment }, desk })
    } catch (error) {
      log.warn('agent cannot be taken up', { session, why: String(error) })
      return false
    } finally {
      await desk?.[Symbol.asyncDispose]()
    }
  }

  /** Answers false where the agent was found and cannot be worked with. */
  async #runAgent(heard: Heard): Promise<boolean> {
    const { agent, memo, found } = heard
    const chars = this.#reader.log.state?.agentMessageChars ?? limits.agentMessageChars
    const redactor = new Redactor(memo.secrets)
    const screen = agent.capabilities.screen ? this.#openScreen(agent) : undefined
    const told = found && this.#spool.told
    const reporter = new Reporter(screen?.sink ?? this.#outbox, redactor, chars, told)
    try {
      if (told?.screen) await screen?.recall(told.screen.text)
      return await this.#hearAgent(heard, { reporter, redactor, screen, desk: heard.desk })
    } finally {
      reporter[Symbol.dispose]()
      screen?.[Symbol.dispose]()
    }
  }

  /** As everybody sees it, and what answers the program where it asks its terminal. */
  #openScreen(agent: AgentSession): Screen {
    const size = this.#reader.log.wanted.size ?? defaultSize
    return new Screen(size, this.#outbox, (bytes) => void agent.keys(bytes).catch(() => undefined))
  }

  async #hearAgent(
    { agent, memo: { profile, spec }, keeping, found }: Heard,
    surroundings: Pick<RunPorts, 'reporter' | 'redactor' | 'screen' | 'desk'>,
  ): Promise<boolean> {
    const { log, stopGraceMs } = this.#ports
    const { adapter } = profile
    if (!found) {
      tellReady(agent, { session: this.session, profile, sessionLog: this.#reader.log, ...surroundings })
      log.info('agent started', { session: this.session, agent: profile.agent, pid: agent.pid })
    }
    const run = new AgentRun({
      session: this.session,
      agentName: profile.agent,
      cwd: spec.cwd,
      envNames: Object.keys(spec.env),
      ...surroundings,
      agent: keeping ? recordCalls(agent, (call) => keeping.note(call)) : agent,
      callAgain: (call) => callAgent(agent, call),
      sessionLog: this.#reader.log,
      spool: this.#spool,
      log,
      files: this.#files,
      interruptTimeoutMs: this.#ports.interruptTimeoutMs,
      takesInput: profile.interactive?.allowHumanInput ?? true,
      autoExit: profile.interactive?.autoExit,
      asConfigured: ({ capabilities: news, ...facts }) =>
        news === undefined ? facts : { ...facts, capabilities: asConfigured(news, profile) },
      onAutoEnd: (why) => {
        this.#autoEnd ??= why
        void agent.stop(stopGraceMs)
      },
      onKill: (control) => this.#kill(control),
    })
    this.#run = run
    if (this.#isLost || this.#isStopping || !isLive(this.#reader.log.state?.status ?? 'aborted')) void agent.stop(0)
    this.#controlBeforeRun()
    const room = (): Promise<void> | undefined => {
      keeping?.release(releasable(adapter, this.#spool.told))
      return this.#spool.room()
    }
    const hearing = run.hear(room, found ? 'past' : 'present')
    if (found) {
      const to = { spool: this.#spool, sessionLog: this.#reader.log, run, hearing }
      if (!(await catchUp(found, { ...to, log, put: (report) => this.#outbox.put(report) }))) {
        this.#run = undefined
        return false
      }
    }
    const end = await hearing
    const left = await agent.stop(stopGraceMs)
    this.#run = undefined
    log.info('agent ended', { session: this.session, pid: agent.pid, ...end.exit, left, ...end.heard })
    this.#ended(end, adapter, left)
    await this.#files?.ended()
    await keeping?.forget()
    return true
  }

  /** How the files are before the agent touches them, and who wants something undone of an earlier life. */
  async #keepFiles(folder: string, redactor: Redactor, adapter: AgentProfile['adapter']): Promise<void> {
    if (adapter === 'log' || adapter === 'mcp') return
    this.#files = this.#openFiles(folder, redactor, runsProgram(adapter) ? 'always' : 'turns')
    await this.#files?.begin()
    this.#look()
  }

  #openFiles(folder: string, redactor: Redactor, works: 'turns' | 'always'): SessionFiles | undefined {
    const { files, log } = this.#ports
    const of = { session: this.session, folder, redactor, works, read: this.#reader.log, log }
    return files && openFiles(files, { ...of, put: (report) => this.#outbox.put(report) })
  }

  #look(): void {
    if (!this.#isFinished) void this.#files?.look()
  }

  /** What is asked while the last things are told is done as well; from then on it is for another life. */
  async #finish(): Promise<void> {
    do {
      await this.#files?.settled()
      if (!this.#isLost && !this.#isStopping) await this.#undoAfterwards()
      await this.#outbox.flush()
    } while (this.#files?.isAsked === true && !this.#isLost && !this.#isStopping)
    this.#isFinished = true
  }

  /** No agent is there, and what it did shall be undone all the same, under the lease that this runner had. */
  async #undoAfterwards(): Promise<void> {
    const { state } = this.#reader.log
    const { files: kept, agents, environment } = this.#ports
    const record = kept?.records.read(this.session)
    if (!state?.undo || state.undo.phase === 'planned' || state.lease?.runner !== this.#ports.runner) return
    if (holdsAgent(state.status)) return
    if (this.#fence === undefined) {
      this.#fence = state.lease.fence
      this.#spool.lease(this.#fence)
      this.#outbox.open(this.#fence)
    }
    this.#files ??=
      record && this.#openFiles(record.root, redactorOf(agents.now.profiles.get(state.agent), environment), 'turns')
    if (this.#files) return this.#files.look()
    const reason = 'This machine has kept no snapshots of the files of this session.'
    this.#outbox.put({ type: 'undo.refused', data: { undo: state.undo.undo }, body: { reason } })
  }

  /** People may end a session whose agent is not there yet. */
  #controlBeforeRun(): void {
    for (const control of this.#reader.log.controls) if (control.action === 'kill') this.#kill(control)
  }

  #kill(control: DataOf<'control.requested'>): void {
    if (this.#kills.some((known) => known.control === control.control)) return
    this.#kills.push(control)
    if (this.#agent) void this.#agent.stop(this.#ports.stopGraceMs)
    else this.#starting.abort()
  }

  #ended({ exit, fault }: RunEnd, adapter: AgentProfile['adapter'], left: readonly number[]): void {
    const isKilled = this.#kills.length > 0 && left.length === 0
    if (left.length > 0) {
      const reason = `These processes could not be ended: ${left.join(', ')}.`
      for (const { control } of this.#kills) {
        this.#outbox.put({ type: 'control.failed', data: { control, action: 'kill' }, body: { reason } })
      }
      this.#kills = []
    }
    this.#reportEnd({ exit, fault, adapter, auto: this.#autoEnd, isKilled, isStopping: this.#isStopping })
  }

  #notStarted(note: string): void {
    // The next life of the runner starts it.
    if (this.#isStopping && this.#kills.length === 0) return
    this.#killsDone()
    this.#outbox.put(stateReport('failed', 'start_failed', { note }))
  }

  #reportEnd(ending: Ending): void {
    if (ending.isStopping && !ending.isKilled && outlivesRunner(ending.adapter)) {
      this.#isToGoOn = true
      return
    }
    // Decided by a person and not handed over: nobody will.
    for (const { approval, outcome } of this.#reader.log.state?.approvals ?? []) {
      if (outcome === undefined) continue
      this.#outbox.put({ type: 'approval.dispatch_refused', data: { approval, reason: 'stale' } })
    }
    this.#killsDone()
    const goal = goalReport(ending)
    if (goal) this.#outbox.put(goal)
    this.#outbox.put(endReport(ending))
  }

  #killsDone(): void {
    for (const { control } of this.#kills) {
      this.#outbox.put({ type: 'control.done', data: { control, action: 'kill', ...this.#reach() } })
    }
  }

  /** How far "nothing is left" reaches; nothing where there was no process. */
  #reach(): { reach?: TreeReach } {
    const reach = this.#agent?.tree?.reach
    return reach === undefined ? {} : { reach }
  }

  /** A person ended the session while this machine was out of contact: what is left of its agent ends now. */
  #endedElsewhere(): void {
    this.#starting.abort()
    void this.#agent?.stop(this.#ports.stopGraceMs)
  }

  #lose(): void {
    this.#isLost = true
    this.#leaseSeen.resolve()
    this.#starting.abort()
    void this.#agent?.stop(0)
  }

  #putAway(): void {
    this.#files?.leave()
    if (this.#isLost) this.#spool.setAside()
    else if (!this.#isToGoOn && this.#spool.waiting.length === 0 && this.#spool.intents.size === 0) this.#spool.remove()
    else this.#spool.close()
    this.#reader.close(this.#isLost ? 'nothing' : 'session')
  }
}
