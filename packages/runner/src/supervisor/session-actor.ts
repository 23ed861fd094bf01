import { join } from 'node:path'
import type { Envelope } from '@hotline/protocol/event'
import type { Evidence } from '@hotline/protocol/evidence'
import type { DataOf } from '@hotline/protocol/events'
import { limits } from '@hotline/protocol/limits'
import type { TreeReach } from '@hotline/protocol/process-tree'
import { holdsAgent, isLive } from '@hotline/protocol/session-status'
import { type AgentFacts, type AgentSession, outlivesRunner, runsProgram, StartError } from '../adapters/adapter.ts'
import type { Drivers } from '../adapters/drivers.ts'
import { type Desk, openDesk } from '../desk/desk.ts'
import type { Log } from '../log.ts'
import type { Holder } from '../process/holder.ts'
import { asConfigured } from '../profiles/abilities.ts'
import type { KnownAgents } from '../profiles/known-agents.ts'
import type { AgentProfile } from '../profiles/profile.ts'
import { Redactor } from '../redact.ts'
import type { ServerLink } from '../server-link.ts'
import { Outbox } from '../spool/outbox.ts'
import { Spool } from '../spool/spool.ts'
import { Screen } from '../terminal/screen.ts'
import { AgentRun, type RunEnd, type RunPorts } from './agent-run.ts'
import type { AutoEnd } from './auto-exit.ts'
import { type Ending, endReport, goalReport, stateReport } from './endings.ts'
import { defaultSize, planLaunch } from './launch.ts'
import { type KeptFiles, openFiles, redactorOf } from './open-files.ts'
import { profileReport } from './report-of.ts'
import { Reporter } from './reporter.ts'
import type { SessionFiles } from './session-files.ts'
import { SessionReader } from './session-reader.ts'

/** Who asked for a session from elsewhere comes at once, or not at all. */
const comesWithinMs = 60_000

/** What all sessions of a runner share. */
export interface ActorPorts {
  link: ServerLink
  holder: Holder
  log: Log
  /** This runner's id, as the server knows it. */
  runner: string
  agents: KnownAgents
  drivers: Drivers
  environment: Readonly<Record<string, string | undefined>>
  /** Where programs are asked for their version: a folder that is empty. */
  versionsFolder: string
  /** Where spools and scratch folders are. */
  sessionsFolder: string
  scratchFolder: string
  /** Where the desks of sessions are. */
  desksFolder: string
  /** Bytes of reports that one session may hold back. */
  spoolBytes: number
  /** Absent: no snapshots of files are kept. */
  files?: KeptFiles | undefined
  /** What an agent is given to end by itself. */
  stopGraceMs: number
  /** An agent that does not end its turn within this is not stopping: the person is told, and may end the session. */
  interruptTimeoutMs: number
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
    try {
      if ((await this.#reader.open()) === 'gone') return
      await this.#deliverEarlierLife()
      if (!this.#isLost && !this.#isStopping && (await this.#takeLease())) await this.#hold()
      await this.#finish()
    } finally {
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
    this.#outbox.open(fence)
    await this.#outbox.flush(signal)
    if (signal.aborted) return
    await Promise.all(claims)
    await this.#outbox.flush(signal)
  }

  /** A claim without which nothing was handed over, and which the log does not take, leaves no doubt: the message waits. */
  async #settleClaim(intent: string, message: string): Promise<void> {
    const claim = this.#spool.waiting.findLast(
      ({ report: { type, data } }) => type === 'message.delivered' && data['message'] === message,
    )
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
    const { profile, native, mode } = this.#whatToStart()
    const goesOn = state?.status === 'active' && profile !== undefined && outlivesRunner(profile.adapter)
    // Our own earlier life had an agent, which went with it. A session that was only starting has not had one yet.
    if (!goesOn && (state?.status === 'active' || state?.status === 'paused')) {
      return this.#reportEnd({ exit: undefined, adapter: 'acp', isKilled: false, isStopping: false })
    }
    let redactor = new Redactor([])
    let desk: Desk | undefined
    try {
      if (!profile) throw new StartError(this.#whyNone(state?.agent ?? ''))
      this.#refuseToStart(profile)
      const { environment: from, scratchFolder, holder, drivers, log } = this.#ports
      const wanted = { ...this.#reader.log.wanted, mode }
      const used = state?.usage
      desk = await this.#openDesk(profile)
      const { session } = this
      const plan = planLaunch({ session, profile, wanted, native, used, from, scratchFolder, desk: desk?.file })
      redactor = new Redactor([...plan.secrets, ...(desk ? [{ name: 'of this session', value: desk.token }] : [])])
      if (plan.refused.length > 0) log.warn('variables refused', { session: this.session, names: plan.refused })
      const driver = drivers.get(profile.adapter)
      if (!driver) throw new StartError(`This runner has no adapter "${profile.adapter}".`)
      if (profile.adapter !== 'log' && profile.adapter !== 'mcp')
        await this.#keepFiles(plan.spec.cwd, redactor, profile.adapter)
      const agent = await driver.start(plan.spec, holder, this.#starting.signal)
      this.#agent = agent
      if (profile.adapter === 'mcp') {
        if (!desk) throw new StartError('On this machine no agent from elsewhere can reach a session.')
        void desk.left(comesWithinMs).then(() => agent.stop(0))
      }
      const { cwd, env } = plan.spec
      await this.#runAgent(agent, profile, { redactor, cwd, envNames: Object.keys(env), desk })
    } catch (error) {
      if (!(error instanceof StartError)) throw error
      this.#ports.log.warn('agent not started', { session: this.session })
      this.#notStarted(redactor.text(error.message))
    } finally {
      await desk?.[Symbol.asyncDispose]()
    }
  }

  /** Where what the agent starts can reach people. Without it the agent works all the same. */
  async #openDesk({ adapter }: AgentProfile): Promise<Desk | undefined> {
    if (outlivesRunner(adapter)) return undefined
    try {
      return await openDesk({ folder: this.#ports.desksFolder, session: this.session })
    } catch (error) {
      this.#ports.log.warn('no desk', { session: this.session, error: String(error) })
      return undefined
    }
  }

  #whatToStart(): { profile: AgentProfile | undefined; native: string | undefined; mode: string | undefined } {
    const { state, wanted } = this.#reader.log
    const profile = state ? this.#ports.agents.now.profiles.get(state.agent) : undefined
    // Without a turn there is nothing to take up, but in a program, of which nobody knows. It begins in the asking mode,
    // whatever it was in before.
    const hasBegun = (profile && runsProgram(profile.adapter)) || (state?.counts.turns ?? 0) > 0
    const native = hasBegun ? state?.native : undefined
    return { profile, native, mode: native === undefined ? wanted.mode : undefined }
  }

  #whyNone(agent: string): string {
    const why = this.#ports.agents.now.broken.get(agent)
    return why === undefined ? `This runner has no agent "${agent}".` : `The profile of this agent is wrong: ${why}`
  }

  /** A profile may turn an agent off, and make one of any program: that takes what a command line takes. */
  #refuseToStart({ agent, adapter, argv, interactive }: AgentProfile): void {
    if (interactive?.enabled === false) {
      throw new StartError(`"${agent}" is turned off: "interactive.enabled" is not true in its profile.`)
    }
    if (runsProgram(adapter) && argv !== 'of-session' && this.#reader.log.state?.unasked !== true) {
      throw new StartError(
        `"${agent}" is a program that asks nobody before it acts. Start it with "unasked": true, by somebody who may decide.`,
      )
    }
  }

  async #runAgent(
    agent: AgentSession,
    profile: AgentProfile,
    place: Pick<RunPorts, 'redactor' | 'cwd' | 'envNames' | 'desk'>,
  ): Promise<void> {
    const chars = this.#reader.log.state?.agentMessageChars ?? limits.agentMessageChars
    const screen = agent.capabilities.screen ? this.#openScreen(agent) : undefined
    const reporter = new Reporter(screen?.sink ?? this.#outbox, place.redactor, chars)
    try {
      await this.#hearAgent(agent, profile, { ...place, reporter, screen })
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
    agent: AgentSession,
    profile: AgentProfile,
    surroundings: Pick<RunPorts, 'reporter' | 'redactor' | 'cwd' | 'envNames' | 'screen' | 'desk'>,
  ): Promise<void> {
    const { log, stopGraceMs } = this.#ports
    const { reporter } = surroundings
    const { pid, startedAt } = agent
    const capabilities = asConfigured(agent.capabilities, profile)
    reporter.put(
      profileReport(this.#factsOf(agent, profile), { capabilities, pid, startedAt, reach: agent.tree?.reach }),
    )
    if (this.#reader.log.state?.status !== 'active') reporter.put(stateReport('active', 'agent_ready'))
    for (const { control, action } of this.#reader.log.controls) {
      if (action === 'resume') reporter.put({ type: 'control.done', data: { control, action } })
    }
    if (!runsProgram(profile.adapter) && profile.asking.by === 'settings') {
      reporter.output('log', 'This agent was told by its settings to ask; nothing confirms that it does.\n')
    }
    log.info('agent started', { session: this.session, agent: profile.agent, pid })
    const run = new AgentRun({
      session: this.session,
      agentName: profile.agent,
      ...surroundings,
      agent,
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
    const end = await run.hear(() => this.#spool.room())
    const left = await agent.stop(stopGraceMs)
    this.#run = undefined
    log.info('agent ended', { session: this.session, pid, ...end.exit, left, ...end.heard })
    this.#ended(end, profile.adapter, left)
    await this.#files?.ended()
  }

  /** How the files are before the agent touches them, and who wants something undone of an earlier life. */
  async #keepFiles(folder: string, redactor: Redactor, adapter: AgentProfile['adapter']): Promise<void> {
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

  /** A program has no name for its session; by the command line that takes it up again it goes by ours. */
  #factsOf({ facts }: AgentSession, { adapter, interactive }: AgentProfile): AgentFacts {
    if (!runsProgram(adapter) || interactive?.resumeArgv === undefined) return facts
    return { ...facts, native: this.#reader.log.state?.native ?? this.session }
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
