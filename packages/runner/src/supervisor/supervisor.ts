import { existsSync, readdirSync } from 'node:fs'
import type { EvidenceBody } from '@hotline/protocol/evidence'
import type { AnnounceBody, WorkPage } from '@hotline/protocol/http'
import { limits } from '@hotline/protocol/limits'
import type { z } from 'zod'
import { noFences } from '../process/namespace.ts'
import { Survey } from '../profiles/survey.ts'
import type { ActorPorts } from './actor-ports.ts'
import { SessionActor } from './session-actor.ts'
import { type FolderQuestion, viewFolder } from './view-folder.ts'

/** Work is asked for at each hint, and this often in case that a hint was lost. */
const askEveryMs = 15_000

/** Profiles are looked at so often; what was changed in them holds for what is started afterwards. */
const lookAtProfilesMs = 1_000

/** So soon it shows that an agent was installed, or that somebody has signed in with it. */
const lookAtAgentsMs = 5_000

/** A session that failed here for a reason of ours is not tried again at once. */
const cooldownMs = 30_000

/** A session that was not given to us is not asked for again at once. */
const refusedMs = 2_000

/** What the server takes of one runner. */
const agentsMax = 100

/** Folders that are looked at at once. Whoever asks for more hears nothing, and asks again. */
const foldersMax = 8

/** What a runner says of itself. */
export interface Introduction {
  name: string
  version: string
  platform: string
  /** So many sessions are at work here at once. */
  sessionsMax: number
  /** What this machine is, or has; absent where nobody says. */
  labels?: string[]
}

interface Held {
  readonly actor: SessionActor
  readonly done: Promise<void>
}

/** A session that waits, as the server lists it. */
type Work = z.infer<typeof WorkPage>['work'][number]

/** Takes up the sessions that are meant for this runner, and lets them go again when they are over. */
export class Supervisor {
  readonly #ports: Omit<ActorPorts, 'runner'>
  readonly #introduction: Introduction
  readonly #held = new Map<string, Held>()
  readonly #cooling = new Map<string, number>()
  readonly #announced = Promise.withResolvers<string>()
  readonly #survey: Survey
  #fences = noFences
  #runner: string | undefined
  #leave: (() => void)[] = []
  #asking: Promise<void> | undefined
  #askAgain = false
  /** On this connection. */
  #isAnnounced = false
  #isStopping = false
  /** Of its agents, what the server knows. */
  #told = ''
  #surveying: Promise<void> | undefined
  #announcing: Promise<void> = Promise.resolve()
  #looking: Promise<void> | undefined
  #foldersLookedAt = 0
  /** Sessions that somebody wants to see. */
  readonly #toLookAt = new Set<string>()

  constructor(ports: Omit<ActorPorts, 'runner'>, introduction: Introduction) {
    this.#ports = ports
    this.#introduction = introduction
    this.#survey = new Survey(ports.environment)
  }

  /** Ends what earlier lives left running, then works for the server whenever it is there. */
  async start(): Promise<void> {
    const { holder, link, log } = this.#ports
    for (const { session, pid } of await holder.reap())
      log.warn('an agent of an earlier life was ended', { session, pid })
    this.#fences = await this.#ports.fences()
    const timer = setInterval(() => this.#lookAround(), askEveryMs)
    const reading = setInterval(() => this.#lookAtProfiles(), lookAtProfilesMs)
    const looking = setInterval(() => this.#lookAtAgents(), lookAtAgentsMs)
    this.#tellProblems()
    this.#leave = [
      () => clearInterval(timer),
      () => clearInterval(reading),
      () => clearInterval(looking),
      link.ephemeral(({ kind, streams = [], ask, agent, folder }) => {
        if (kind === 'work') this.#ask()
        if (kind === 'look') this.#look(streams)
        if (kind === 'folder' && ask !== undefined && agent !== undefined && folder !== undefined) {
          this.#lookAtFolder({ ask, agent, folder })
        }
      }),
      link.connection.watch(({ status }) => {
        this.#isAnnounced = false
        if (status === 'open') void this.#announce()
      }),
    ]
    this.#lookAround()
  }

  /** Resolves to this runner's id once the server knows it. */
  get announced(): Promise<string> {
    return this.#announced.promise
  }

  /** Sessions that have work to do here. */
  get sessions(): readonly string[] {
    return [...this.#held.keys()]
  }

  /** Ends all agents and reports that; what cannot be delivered until the deadline waits on the disk. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#isStopping = true
    for (const leave of this.#leave) leave()
    await this.#asking
    // A snapshot of a large folder may take longer than there is time.
    const { files } = this.#ports
    const giveUp = (): void => void files?.workspaces[Symbol.asyncDispose]()
    deadline.addEventListener('abort', giveUp, { once: true })
    if (deadline.aborted) giveUp()
    await Promise.all([...this.#held.values()].map(({ actor, done }) => actor.stop(deadline).then(() => done)))
    deadline.removeEventListener('abort', giveUp)
    await files?.workspaces[Symbol.asyncDispose]()
    await this.#ports.holder[Symbol.asyncDispose]()
    await this.#surveying
    await this.#looking
  }

  #lookAround(): void {
    const now = performance.now()
    for (const [session, until] of this.#cooling) if (until < now) this.#cooling.delete(session)
    if (this.#ports.link.connection.value.status !== 'open') return
    if (!this.#isAnnounced) return void this.#announce()
    this.#ask()
  }

  #lookAtProfiles(): void {
    if (!this.#ports.agents.look()) return
    this.#tellProblems()
    this.#lookAtAgents()
  }

  #tellProblems(): void {
    const { agents, log } = this.#ports
    for (const { file, line, column, what } of agents.now.problems)
      log.warn('profile not used', { file, line, column, what })
  }

  /** What was installed, signed in with or changed since is told; a program is asked for its version once. */
  #lookAtAgents(): void {
    const { agents, holder, log, versionsFolder } = this.#ports
    this.#tellNews()
    if (this.#isStopping) return
    const heard = (): void => this.#tellNews()
    this.#surveying ??= this.#survey
      .askVersions(agents.now, { holder, cwd: versionsFolder, heard })
      .catch((error: unknown) => log.warn('versions not read', { error: String(error) }))
      .finally(() => {
        this.#surveying = undefined
      })
  }

  #tellNews(): void {
    const { agents, link } = this.#ports
    if (this.#isStopping || link.connection.value.status !== 'open') return
    if (JSON.stringify(this.#survey.report(agents.now, this.#fences)) !== this.#told) void this.#announce()
  }

  /** After each connect, and when the news are others: what can be started here, and what is held. One after the other. */
  #announce(): Promise<void> {
    this.#announcing = this.#announcing.then(() => this.#announceOnce())
    return this.#announcing
  }

  async #announceOnce(): Promise<void> {
    const { link, log, agents } = this.#ports
    const news = this.#survey.report(agents.now, this.#fences)
    if (this.#isAnnounced && this.#told === JSON.stringify(news)) return
    const body: AnnounceBody = {
      ...this.#introduction,
      agents: [...news].slice(0, agentsMax),
      holds: [...this.#held.values()].flatMap(({ actor: { session, fence } }) =>
        fence === undefined ? [] : [{ session, fence }],
      ),
    }
    const answer = await link.request<{ runner: string }>('PUT', '/api/runner', body)
    if (!answer.ok) {
      log.warn('not announced', { code: answer.problem.code })
      return
    }
    this.#isAnnounced = true
    this.#told = JSON.stringify(news)
    const isFirst = this.#runner === undefined
    this.#runner = answer.value.runner
    if (isFirst) this.#takeUpEarlierLife()
    this.#announced.resolve(answer.value.runner)
    this.#ask()
    this.#lookAtAgents()
  }

  /** Sessions that an earlier life of this runner held have a folder here, whatever the server lists. */
  #takeUpEarlierLife(): void {
    const { sessionsFolder } = this.#ports
    for (const session of existsSync(sessionsFolder) ? readdirSync(sessionsFolder) : []) {
      if (existsSync(`${sessionsFolder}/${session}/spool.jsonl`)) this.#take(session)
    }
    const { lasting } = this.#ports.holder
    // Nobody here knows what to do with them.
    for (const session of lasting?.sessions ?? []) if (!this.#held.has(session)) void lasting?.find(session)?.end(0)
  }

  /** Somebody wants to see how agents stand: one look at a time, so nobody who asks often makes it more of them. */
  #look(streams: readonly string[]): void {
    for (const stream of streams) {
      const session = stream.replace(/^session:/, '')
      if (this.#held.has(session)) this.#toLookAt.add(session)
    }
    if (this.#toLookAt.size === 0 || this.#looking) return
    this.#looking = this.#tellEvidence().finally(() => {
      this.#looking = undefined
      if (!this.#isStopping) this.#look([])
    })
  }

  /** Somebody wants to start something in a folder. */
  #lookAtFolder(question: FolderQuestion): void {
    const { link, log, isolator, files, agents, environment } = this.#ports
    if (this.#isStopping || this.#foldersLookedAt >= foldersMax) return
    this.#foldersLookedAt += 1
    const profile = agents.now.profiles.get(question.agent)
    void viewFolder(question, { isolator, neighbours: files?.neighbours, profile, home: environment['HOME'] })
      .then((answer) => link.request('PUT', '/api/runner/folder', answer))
      .then((told) => !told.ok && log.debug('folder', 'not told', { code: told.problem.code }))
      .catch((error: unknown) => log.warn('folder not looked at', { error: String(error) }))
      .finally(() => (this.#foldersLookedAt -= 1))
  }

  async #tellEvidence(): Promise<void> {
    const { link, log } = this.#ports
    const sessions: EvidenceBody['sessions'] = []
    for (const session of [...this.#toLookAt].slice(0, limits.evidencePerReport)) {
      this.#toLookAt.delete(session)
      const actor = this.#held.get(session)?.actor
      const evidence = await actor?.look()
      if (actor?.fence !== undefined && evidence) sessions.push({ session, fence: actor.fence, evidence })
    }
    if (sessions.length === 0 || this.#isStopping) return
    const answer = await link.request('PUT', '/api/runner/evidence', { sessions })
    if (!answer.ok) log.debug('evidence', 'not told', { code: answer.problem.code })
  }

  /** One question at a time; whoever asks meanwhile gets another one afterwards. */
  #ask(): void {
    if (this.#isStopping || this.#runner === undefined || this.#ports.link.connection.value.status !== 'open') return
    this.#askAgain = this.#asking !== undefined
    this.#asking ??= this.#askForWork().finally(() => {
      this.#asking = undefined
      if (this.#askAgain) this.#ask()
    })
  }

  async #askForWork(): Promise<void> {
    const { link, log } = this.#ports
    const answer = await link.request<z.infer<typeof WorkPage>>('GET', '/api/runner/work')
    if (!answer.ok) {
      log.debug('work', 'no answer', { code: answer.problem.code })
      return
    }
    for (const work of answer.value.work) {
      if (this.#isStopping) return
      if (!this.#held.has(work.session) && (await this.#isForUs(work))) this.#take(work.session)
    }
  }

  async #isForUs({ session, status, runner }: Work): Promise<boolean> {
    const { link, agents } = this.#ports
    if (runner !== null && runner !== this.#runner) return false
    if ((this.#cooling.get(session) ?? 0) > performance.now() || this.#held.size >= limits.sessionsPerRunner)
      return false
    if (status === 'starting' && runner === null) return false
    // Over, and something of it shall be undone.
    if (status === 'completed' || status === 'failed' || status === 'aborted') return runner === this.#runner
    if (status === 'queued' && runner !== null) return true
    const snapshot = await link.request<{ state: { agent: string; resuming: boolean; undo?: { phase: string } } }>(
      'GET',
      `/api/sessions/${session}`,
    )
    if (!snapshot.ok) return false
    const { agent, resuming, undo } = snapshot.value.state
    // Interrupted sessions stay listed until a person wants them back; those of any runner need one that has the agent.
    if (status === 'interrupted') return resuming || (undo !== undefined && undo.phase !== 'planned')
    return runner !== null || agents.now.profiles.has(agent)
  }

  #take(session: string): void {
    const { log } = this.#ports
    if (this.#isStopping || this.#runner === undefined || this.#held.has(session)) return
    let actor: SessionActor
    try {
      actor = new SessionActor({ ...this.#ports, runner: this.#runner }, session)
    } catch (error) {
      this.#cooling.set(session, performance.now() + cooldownMs)
      log.error('session not taken', { session, error: String(error) })
      return
    }
    const done = actor
      .work()
      .catch((error: unknown) => {
        this.#cooling.set(session, performance.now() + cooldownMs)
        log.error('session failed', { session, error: error instanceof Error ? error.stack : String(error) })
        return actor.stop(AbortSignal.abort())
      })
      .finally(() => {
        this.#held.delete(session)
        // Listed for us and refused to us: the list is behind. A moment later it is not.
        if (actor.fence === undefined) {
          this.#cooling.set(session, performance.now() + refusedMs)
          setTimeout(() => this.#lookAround(), refusedMs + 1).unref()
        }
        this.#ask()
      })
    this.#held.set(session, { actor, done })
  }
}
