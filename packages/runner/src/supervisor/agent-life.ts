import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Report } from '@hotline/protocol/commands/agent'
import type { Evidence } from '@hotline/protocol/evidence'
import { limits } from '@hotline/protocol/limits'
import { isLive } from '@hotline/protocol/session-status'
import { type AgentSession, outlivesRunner, StartError, type StartSpec } from '../adapters/adapter.ts'
import { callAgent, recordCalls } from '../adapters/recorded.ts'
import type { Desk } from '../desk/desk.ts'
import { containing } from '../process/containing.ts'
import { lookAtRoom } from '../process/disk-room.ts'
import type { Keeping, Survivor } from '../process/lasting.ts'
import { asConfigured } from '../profiles/abilities.ts'
import { type SettledProfile, settleContainment } from '../profiles/containment.ts'
import type { AgentProfile } from '../profiles/profile.ts'
import { Redactor } from '../redact.ts'
import type { Outbox } from '../spool/outbox.ts'
import type { Spool } from '../spool/spool.ts'
import { Screen } from '../terminal/screen.ts'
import { settingsNames } from '../trust/settings-names.ts'
import type { ActorFiles } from './actor-files.ts'
import type { ActorPorts } from './actor-ports.ts'
import { AgentRun } from './agent-run.ts'
import { AttachedFiles } from './attached-files.ts'
import { awaitTrust } from './await-trust.ts'
import type { Departure } from './departure.ts'
import { catchUp, type Found, type KeepMemo, readMemo, releasable, termsOf, whereToBegin } from './keep.ts'
import { defaultSize, planLaunch, refuseToStart, whatToStart, whyNone } from './launch.ts'
import { containedIn } from './fence-of.ts'
import { openDeskOf } from './open-desk-of.ts'
import { placeOf } from './place-of.ts'
import { Reporter } from './reporter.ts'
import { remarkReport } from './report-of.ts'
import type { RunPorts } from './run-ports.ts'
import type { SessionLog } from './session-log.ts'
import { startElsewhere } from './start-elsewhere.ts'
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

/** Whose agent it is. */
interface LifeOf {
  session: string
  ports: ActorPorts
  sessionLog: SessionLog
  spool: Spool
  outbox: Outbox
  files: ActorFiles
  departure: Departure
  /** Ends a start that is under way. */
  starting: AbortSignal
  /** The session is not ours any more, or the runner is going down. */
  isUnwanted: () => boolean
  /** People may end a session whose agent is not there yet. */
  controlBeforeRun: () => void
  /** Writes down what is known of the session. */
  remember: () => void
  onKill: RunPorts['onKill']
}

/** The agent of a session on this machine: started or taken up, and heard until it is gone. */
export class AgentLife {
  readonly #of: LifeOf
  #agent: AgentSession | undefined
  #run: AgentRun | undefined
  #news = Promise.withResolvers<void>()
  /** Of what it was handed. */
  #redactor = new Redactor([])

  constructor(of: LifeOf) {
    this.#of = of
  }

  /** As soon as there is one, and then for ever. */
  get agent(): AgentSession | undefined {
    return this.#agent
  }

  /** An event of the session, folded: whoever waits for people looks again. */
  happened(): void {
    const heard = this.#news
    this.#news = Promise.withResolvers<void>()
    heard.resolve()
  }

  /** While it is heard. */
  get run(): AgentRun | undefined {
    return this.#run
  }

  /** What can be seen of the agent now; undefined where there is none. */
  async look(): Promise<Evidence | undefined> {
    if (!this.#agent || !this.#run) return undefined
    const tree = await this.#agent.tree?.sample()
    const { lastOutputAt } = this.#run
    // A program may call itself what it likes.
    return this.#redactor.value({ ...(lastOutputAt === undefined ? {} : { lastOutputAt }), ...(tree ? { tree } : {}) })
  }

  /** What is said of the agent beside what it says itself: it may hold words of its own. */
  masked(report: Report): Report {
    return this.#redactor.value(report)
  }

  /** Starts what the session wants, and hears it. Where nothing can be started, that is told. */
  async start(): Promise<void> {
    const { session, ports, sessionLog, departure, files } = this.#of
    const { state } = sessionLog
    const { profile: known, native, mode } = whatToStart(sessionLog, ports.agents)
    const goesOn = state?.status === 'active' && known !== undefined && outlivesRunner(known.adapter)
    // Our own earlier life had an agent, which went with it. A session that was only starting has not had one yet.
    if (!goesOn && (state?.status === 'active' || state?.status === 'paused')) return departure.wentBefore()
    let desk: Desk | undefined
    try {
      if (!known) throw new StartError(whyNone(ports.agents, state?.agent ?? ''))
      const fences = await ports.fences()
      const profile = settleContainment(known, { unfenced: state?.unfenced === true, fences })
      refuseToStart(profile, sessionLog.state?.unasked === true ? 'unasked' : 'asked')
      const { environment: from, scratchFolder, holder, drivers, log, sessionsFolder, diskReserveBytes = 0 } = ports
      const disks = [sessionsFolder, sessionLog.wanted.cwd ?? scratchFolder]
      const room = lookAtRoom(disks, diskReserveBytes)
      if (room.left === 'too little') throw new StartError(`${room.words} Make room, and start it again.`)
      if (room.left === 'little') this.#of.outbox.put(remarkReport(`${room.words}\n`))
      const wanted = { ...sessionLog.wanted, mode, cwd: await this.#placeOf(profile) }
      const used = state?.usage
      desk = await openDeskOf(ports, session, profile)
      const plan = planLaunch({ session, profile, wanted, native, used, from, scratchFolder, desk: desk?.file })
      if (plan.refused.length > 0) log.warn('variables refused', { session, names: plan.refused })
      const driver = drivers.get(profile.adapter)
      if (!driver) throw new StartError(`This runner has no adapter "${profile.adapter}".`)
      const secrets = desk ? [...plan.secrets, { name: 'of this session', value: desk.token }] : plan.secrets
      this.#redactor = new Redactor(secrets)
      await files.keep(plan.spec.cwd, this.#redactor, profile)
      const { starting: signal, outbox, remember } = this.#of
      await this.#awaitTrust(profile, plan.spec, this.#redactor)
      const start = async (spec: StartSpec): Promise<Heard> => {
        const memo = { profile, spec, secrets, desk: desk?.file }
        const keeping = outlivesRunner(profile.adapter) ? undefined : holder.lasting?.keep(termsOf(memo))
        const { contained, env } = this.#containedIn(profile, spec, desk)
        const held = containing(keeping?.holder ?? holder, contained)
        return { agent: await driver.start({ ...spec, env }, held, signal), memo, keeping, desk }
      }
      const put = (report: Report): void => outbox.put(report)
      const elsewhere = { session, sessionLog, link: ports.link, signal, log, put, remember }
      const heard = await startElsewhere(start, plan.spec, elsewhere)
      const { agent } = heard
      this.#agent = agent
      this.#of.spool.begin(plan.spec.run)
      if (profile.adapter === 'mcp') {
        if (!desk) throw new StartError('On this machine no agent from elsewhere can reach a session.')
        void desk.left(comesWithinMs).then(() => agent.stop(0))
      }
      await this.#runAgent(heard)
    } catch (error) {
      if (!(error instanceof StartError)) throw error
      ports.log.warn('agent not started', { session })
      rmSync(this.#temporary, { recursive: true, force: true })
      departure.notStarted(error.message)
    } finally {
      await desk?.[Symbol.asyncDispose]()
    }
  }

  #placeOf(profile: SettledProfile): Promise<string | undefined> {
    const { session, ports, sessionLog, outbox, starting: signal } = this.#of
    const { isolator, holder, environment, stopGraceMs, dataDir } = ports
    if (!isolator) return Promise.resolve(sessionLog.wanted.cwd)
    const own = { isolator, holder, environment, stopGraceMs, dataDir, temporary: this.#temporary }
    return placeOf({ ...own, session, profile, sessionLog, sink: outbox, signal })
  }

  #containedIn(
    profile: SettledProfile,
    { argv, cwd, env }: StartSpec,
    desk: Desk | undefined,
  ): ReturnType<typeof containedIn> {
    const { session, ports } = this.#of
    const placement = ports.isolator?.known(session)
    const ways = desk ? [desk.file, desk.socket] : []
    const given = join(ports.filesFolder, session)
    // Behind a fence only what is there at the start can be seen.
    mkdirSync(given, { recursive: true, mode: 0o700 })
    return containedIn({
      profile,
      argv,
      cwd,
      env,
      placement,
      dataDir: ports.dataDir,
      desk: ways,
      given,
      temporary: this.#temporary,
    })
  }

  /** Stands for `/tmp` where the agent is behind a fence. */
  get #temporary(): string {
    const { session, ports } = this.#of
    return join(ports.sessionsFolder, session, 'tmp')
  }

  /** What the folder brings for the agent is in force from its first moment: a person has to know it. */
  async #awaitTrust(profile: AgentProfile, { cwd, env }: StartSpec, redactor: Redactor): Promise<void> {
    const { session, ports, sessionLog, outbox, starting: signal } = this.#of
    await awaitTrust({
      session,
      agent: profile.agent,
      cwd,
      from: ports.isolator?.known(session)?.from ?? cwd,
      names: settingsNames(profile),
      home: env['HOME'],
      sessionLog,
      link: ports.link,
      outbox,
      redactor,
      news: () => this.#news.promise,
      signal,
    })
  }

  /** Takes up an agent that an earlier life has left. False where that cannot be done: then it is ended. */
  async goOnWith(survivor: Survivor): Promise<boolean> {
    const { session, ports, files, starting: signal } = this.#of
    const { log, drivers } = ports
    const { told } = this.#of.spool
    const memo = readMemo(survivor)
    const driver = memo && drivers.get(memo.profile.adapter)
    const from = memo && told?.run === memo.spec.run ? whereToBegin(memo.profile.adapter, told, survivor) : undefined
    if (!driver || !from) {
      log.warn('agent cannot be taken up', { session, why: 'What is needed of its output is not there any more.' })
      return false
    }
    this.#redactor = new Redactor(memo.secrets)
    const attachment = survivor.attach(from)
    const desk = await openDeskOf(ports, session, memo.profile, memo.desk)
    try {
      await files.keep(memo.spec.cwd, this.#redactor, memo.profile)
      const starting = driver.start(memo.spec, attachment.holder, signal)
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
    const { agent, found } = heard
    const { sessionLog, spool, outbox } = this.#of
    const chars = sessionLog.state?.agentMessageChars ?? limits.agentMessageChars
    const redactor = this.#redactor
    const screen = agent.capabilities.screen ? this.#openScreen(agent) : undefined
    const told = found && spool.told
    const reporter = new Reporter(screen?.sink ?? outbox, redactor, chars, told)
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
    const size = this.#of.sessionLog.wanted.size ?? defaultSize
    return new Screen(size, this.#of.outbox, (bytes) => void agent.keys(bytes).catch(() => undefined))
  }

  async #hearAgent(
    heard: Heard,
    surroundings: Pick<RunPorts, 'reporter' | 'redactor' | 'screen' | 'desk'>,
  ): Promise<boolean> {
    const { agent, memo, keeping, found } = heard
    const { session, ports, sessionLog, spool, outbox, files, departure } = this.#of
    const { log, stopGraceMs } = ports
    const { profile } = memo
    const { adapter } = profile
    if (!found) {
      tellReady(agent, { session, profile, sessionLog, ...surroundings })
      log.info('agent started', { session, agent: profile.agent, pid: agent.pid })
    }
    const run = this.#newRun(heard, surroundings)
    this.#run = run
    if (this.#of.isUnwanted() || !isLive(sessionLog.state?.status ?? 'aborted')) void agent.stop(0)
    this.#of.controlBeforeRun()
    const room = (): Promise<void> | undefined => {
      keeping?.release(releasable(adapter, spool.told))
      return spool.room()
    }
    const hearing = run.hear(room, found ? 'past' : 'present')
    if (found) {
      const to = { spool, sessionLog, run, hearing }
      if (!(await catchUp(found, { ...to, log, put: (report) => outbox.put(report) }))) {
        this.#run = undefined
        return false
      }
    }
    const end = await hearing
    const left = await agent.stop(stopGraceMs)
    this.#run = undefined
    log.info('agent ended', { session, pid: agent.pid, ...end.exit, left, ...end.heard })
    departure.ended(end, adapter, left)
    await files.now?.ended()
    await keeping?.forget()
    rmSync(this.#temporary, { recursive: true, force: true })
    return true
  }

  #newRun(
    { agent, memo: { profile, spec }, keeping }: Heard,
    surroundings: Pick<RunPorts, 'reporter' | 'redactor' | 'screen' | 'desk'>,
  ): AgentRun {
    const { session, ports, sessionLog, spool, files, departure, onKill } = this.#of
    return new AgentRun({
      session,
      agentName: profile.agent,
      cwd: spec.cwd,
      envNames: Object.keys(spec.env),
      path: ports.environment['PATH'],
      ...surroundings,
      agent: keeping ? recordCalls(agent, (call) => keeping.note(call)) : agent,
      callAgain: (call) => callAgent(agent, call),
      sessionLog,
      place: [spec.cwd, ports.isolator?.known(session)?.folder ?? spec.cwd],
      transfer: ports.transfer,
      attached: new AttachedFiles({ session, folder: join(ports.filesFolder, session), transfer: ports.transfer }),
      spool,
      log: ports.log,
      files: files.now,
      interruptTimeoutMs: ports.interruptTimeoutMs,
      takesInput: profile.interactive?.allowHumanInput ?? true,
      autoExit: profile.interactive?.autoExit,
      asConfigured: ({ capabilities: news, ...facts }) =>
        news === undefined ? facts : { ...facts, capabilities: asConfigured(news, profile) },
      onAutoEnd: (why) => {
        departure.auto(why)
        void agent.stop(ports.stopGraceMs)
      },
      onKill,
    })
  }
}
