import { randomUUID } from 'node:crypto'
import type { Envelope } from '@hotline/protocol/event'
import { asKnown, type DataOf, type EventOf } from '@hotline/protocol/events'
import type { Exit } from '@hotline/protocol/events/session'
import type { AgentEvent, AgentSession } from '../adapters/adapter.ts'
import type { Log } from '../log.ts'
import type { Redactor } from '../redact.ts'
import type { Spool } from '../spool/spool.ts'
import { Approvals } from './approvals.ts'
import type { Reporter } from './reporter.ts'
import { profileReport, reportOf } from './report-of.ts'
import type { SessionLog } from './session-log.ts'

/** An agent that does not end its turn within this is not stopping: the person is told, and may end the session. */
const interruptTimeoutMs = 15_000

/** Events that are remembered as acted on; one comes a second time soon or never. */
const handledMax = 2_000

/** After something here failed (a full disk), the next try to hand a message over. */
const retryMs = 5_000

/** How an agent's run came to its end. */
export interface RunEnd {
  exit: Exit
  /** Why it was given up, where its end was ours. */
  fault?: string | undefined
}

/** What a run works with. */
export interface RunPorts {
  session: string
  agentName: string
  cwd: string
  envNames: readonly string[]
  agent: AgentSession
  sessionLog: SessionLog
  reporter: Reporter
  redactor: Redactor
  spool: Spool
  log: Log
  /** A person wants everything to end. */
  onKill: (control: DataOf<'control.requested'>) => void
}

/**
 * One agent from ready to gone. What it does becomes reports, in order; what people do becomes calls: one message at a
 * time, claimed before it is handed over; answers compared before they are given.
 */
export class AgentRun {
  readonly #ports: RunPorts
  readonly #approvals: Approvals
  readonly #handled = new Set<string>()
  /** Keys reach the terminal in the order of the log, whatever the disk takes for each. */
  #typing: Promise<unknown> = Promise.resolve()
  /** Messages that are done with, whatever a log says that is behind, or that was restored from a backup. */
  readonly #given = new Set<string>()
  /** Reasons of refusals that the agent did not hear. */
  #unheard: string[] = []
  #turn: { turn: string; message: string | undefined; isSeen: boolean } | undefined
  #interrupts: { control: string; timer: NodeJS.Timeout }[] = []
  #isClaiming = false
  #isReady = false
  #isOver = false
  #fault: string | undefined

  constructor(ports: RunPorts) {
    this.#ports = ports
    const { session, agentName: agent, cwd, envNames, reporter, redactor, spool } = ports
    this.#approvals = new Approvals({
      session,
      agent,
      cwd,
      envNames,
      agentSession: ports.agent,
      reporter,
      redactor,
      spool,
      turn: () => this.#turn?.turn,
      onReason: (title, reason) => this.#unheard.push(`[Hotline] "${title}" was refused. The person says: ${reason}`),
    })
  }

  /** Hears the agent to its end. `room` sets the pace. */
  async hear(room: () => Promise<void> | undefined): Promise<RunEnd> {
    this.#isReady = true
    this.#pump()
    let exit: Exit = { code: null, signal: null }
    for await (const event of this.#ports.agent.events()) {
      await room()
      if (event.t === 'exit') exit = event.exit
      else this.#heard(event)
    }
    this.#isOver = true
    this.#ports.reporter.endText()
    this.#ports.reporter.endOutput()
    for (const { timer } of this.#interrupts) clearTimeout(timer)
    return { exit, fault: this.#fault }
  }

  /** An event of the session's stream, already folded. Each is acted on once, however often it comes. */
  followed(event: Envelope): void {
    const known = asKnown(event)
    if (!known || this.#isOver) return
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the others ask nothing of the agent
    switch (known.type) {
      case 'message.posted':
      case 'message.edited':
      case 'message.reordered':
      case 'message.withdrawn':
      case 'session.state_changed':
        return this.#pump()
      case 'approval.resolved':
        return this.#once(known, () => this.#approvals.resolved(known))
      case 'approval.timed_out':
        return this.#once(known, () => this.#approvals.timedOut(known.data.approval))
      case 'approval.cancelled':
        return this.#once(known, () => this.#approvals.cancelled(known.data.approval))
      case 'question.answered':
        return this.#once(known, () => this.#questionAnswered(known))
      case 'input.sent':
        return this.#once(known, () => {
          this.#typing = this.#typing.then(() => this.#keys(known))
          return this.#typing
        })
      case 'terminal.resized':
        return this.#ports.agent.resize(known.data)
      case 'control.requested':
        return this.#once(known, () => this.control(known.data))
      default:
        return
    }
  }

  /** Something that a person wants done to the agent. */
  async control(data: DataOf<'control.requested'>): Promise<void> {
    const { control, action } = data
    switch (action) {
      case 'interrupt':
        if (!this.#turn) return this.#done(data)
        this.#interrupts.push({ control, timer: setTimeout(() => this.#notStopping(data), interruptTimeoutMs) })
        this.#unheard = []
        return this.#ports.agent.interrupt()
      case 'set_mode':
        try {
          await this.#ports.agent.setMode(data.mode ?? '')
          return this.#done(data)
        } catch (error) {
          return this.#failed(data, error instanceof Error ? error.message : String(error))
        }
      case 'kill':
        return this.#ports.onKill(data)
      case 'pause':
      case 'resume':
        return this.#failed(data, 'This agent cannot be paused.')
    }
  }

  #heard(event: Exclude<AgentEvent, { t: 'exit' }>): void {
    const { reporter, agent } = this.#ports
    switch (event.t) {
      case 'text':
        this.#seen()
        return reporter.text(event.role, event.message, event.delta)
      case 'output':
        return reporter.output(event.source, event.text)
      case 'profile':
        return reporter.put(profileReport(event))
      case 'step_progressed':
        return reporter.progress(event.step, reportOf(event, this.#turn?.turn))
      case 'step_started':
      case 'step_finished':
        this.#seen()
        reporter.endText()
        return reporter.put(reportOf(event, this.#turn?.turn))
      case 'plan':
      case 'usage':
        return reporter.put(reportOf(event, this.#turn?.turn))
      case 'ask':
        this.#seen()
        reporter.endText()
        return this.#do('approval', this.#approvals.request(event.ask))
      case 'ask_closed':
        return this.#approvals.closed(event.ask, event.reason)
      case 'question': {
        this.#seen()
        reporter.endText()
        const asked = reporter.ask(reportOf(event, this.#turn?.turn))
        const dismiss = (): Promise<unknown> => agent.answerQuestion(event.question, { action: 'cancel' })
        return this.#do(
          'question',
          asked.then((fate) => (typeof fate === 'string' ? undefined : dismiss())),
        )
      }
      case 'question_closed':
        return reporter.put(reportOf(event, this.#turn?.turn))
      case 'turn_ended':
        return this.#turnEnded(event)
      case 'fault':
        this.#fault = event.note
        return
    }
  }

  #turnEnded({ turn, end, error }: Extract<AgentEvent, { t: 'turn_ended' }>): void {
    const { reporter } = this.#ports
    reporter.endText()
    reporter.put({ type: 'turn.ended', data: { turn, end }, body: error === undefined ? {} : { error } })
    this.#turn = undefined
    const interrupts = this.#interrupts
    this.#interrupts = []
    for (const { control, timer } of interrupts) {
      clearTimeout(timer)
      reporter.put({ type: 'control.done', data: { control, action: 'interrupt' } })
    }
    this.#pump()
  }

  /** Hands the next message over, if the agent is free; else the reasons that it has not heard. */
  #pump(): void {
    const { state } = this.#ports.sessionLog
    if (!this.#isReady || this.#isOver || this.#turn || this.#isClaiming) return
    if (state?.status !== 'active' || state.ending) return
    const next = state.queue.find(({ message }) => !this.#given.has(message))
    if (next) {
      this.#unheard = []
      this.#isClaiming = true
      this.#do('message', this.#alone(this.#claim(next.message)))
    } else if (this.#unheard.length > 0) {
      const text = this.#unheard.join('\n')
      this.#unheard = []
      this.#isClaiming = true
      this.#do('reason', this.#alone(this.#tell(text)))
    }
  }

  /** One message at a time is on its way to the agent. */
  async #alone(work: Promise<void>): Promise<void> {
    try {
      await work
      this.#isClaiming = false
      this.#pump()
    } catch (error) {
      setTimeout(() => {
        this.#isClaiming = false
        this.#pump()
      }, retryMs)
      throw error
    }
  }

  /**
   * First the intent, then the claim, then the agent: whoever withdraws the message in between wins or loses cleanly, and
   * after a crash nobody sends it a second time.
   */
  async #claim(message: string): Promise<void> {
    const { reporter, spool, sessionLog, agent } = this.#ports
    const text = sessionLog.textOf(message)
    const turn = randomUUID()
    const isTurn = agent.capabilities.input === 'turns'
    const intent = await spool.intend({ what: 'prompt', message })
    const fate = await reporter.ask({ type: 'message.delivered', data: { message, ...(isTurn ? { turn } : {}) } })
    this.#given.add(message)
    // What is no longer in the queue, or was erased, is not handed over.
    if (fate === 'kept' && text !== undefined) {
      await this.#prompt(turn, message, text)
    }
    spool.conclude(intent)
  }

  /** What a person said in refusing goes on as a message of its own, marked as what it is, and stands in the log. */
  async #tell(text: string): Promise<void> {
    const { reporter, spool } = this.#ports
    const intent = await spool.intend({ what: 'prompt' })
    reporter.output('log', `Sent to the agent: ${text}\n`)
    await this.#prompt(randomUUID(), undefined, text)
    spool.conclude(intent)
  }

  async #prompt(turn: string, message: string | undefined, text: string): Promise<void> {
    const { agent, reporter } = this.#ports
    if (agent.capabilities.input === 'turns') {
      this.#turn = { turn, message, isSeen: false }
      reporter.put({ type: 'turn.started', data: { turn, ...(message === undefined ? {} : { message }) } })
    }
    try {
      await agent.prompt(turn, text)
    } catch (error) {
      // It ended while it was being told: its end follows, and nobody can say whether it heard.
      this.#ports.log.warn('prompt not handed over', { session: this.#ports.session, error: String(error) })
      if (message !== undefined) reporter.put({ type: 'message.delivery_unknown', data: { message } })
    }
  }

  #seen(): void {
    if (!this.#turn || this.#turn.isSeen) return
    this.#turn.isSeen = true
    const { message } = this.#turn
    if (message !== undefined) this.#ports.reporter.put({ type: 'message.seen', data: { message } })
  }

  async #questionAnswered({ data, body }: EventOf<'question.answered'>): Promise<void> {
    const { question, action } = data
    const answer = action === 'accept' ? { action, content: body?.content ?? {} } : { action }
    await this.#ports.agent.answerQuestion(question, answer)
  }

  async #keys({ data, body }: EventOf<'input.sent'>): Promise<void> {
    if (!body) return
    const { spool, agent, log, session } = this.#ports
    try {
      const intent = await spool.intend({ what: 'keys', input: data.input })
      await agent.keys(Buffer.from(body.text, data.encoding))
      spool.conclude(intent)
    } catch (error) {
      log.error('keys not typed', { session, error: String(error) })
    }
  }

  #done({ control, action }: DataOf<'control.requested'>): void {
    this.#ports.reporter.put({ type: 'control.done', data: { control, action } })
  }

  #failed({ control, action }: DataOf<'control.requested'>, reason: string): void {
    this.#ports.reporter.put({ type: 'control.failed', data: { control, action }, body: { reason } })
  }

  #notStopping(data: DataOf<'control.requested'>): void {
    this.#interrupts = this.#interrupts.filter(({ control }) => control !== data.control)
    this.#failed(
      data,
      `The agent has not stopped within ${interruptTimeoutMs / 1_000} seconds. End the session to stop it.`,
    )
  }

  #once(event: Pick<Envelope, 'type' | 'subject'>, act: () => Promise<unknown>): void {
    const key = `${event.type} ${event.subject}`
    if (this.#handled.has(key)) return
    this.#handled.add(key)
    if (this.#handled.size > handledMax) {
      for (const oldest of this.#handled) {
        this.#handled.delete(oldest)
        break
      }
    }
    this.#do(event.type, act())
  }

  /** Work that nobody waits for; a failure is a bug, and is written down. */
  #do(what: string, work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      const { session, log } = this.#ports
      log.error('agent could not be served', {
        session,
        what,
        error: error instanceof Error ? error.stack : String(error),
      })
    })
  }
}
