import type { Envelope } from '@hotline/protocol/event'
import { asKnown, type DataOf, type EventOf } from '@hotline/protocol/events'
import type { Exit } from '@hotline/protocol/events/session'
import type { AgentEvent, AgentFacts, AgentSession, Heard } from '../adapters/adapter.ts'
import type { Log } from '../log.ts'
import type { Desk, DeskEvent } from '../desk/desk.ts'
import type { AutoExit } from '../profiles/interactive.ts'
import type { Redactor } from '../redact.ts'
import { mayAsk, type Screen } from '../terminal/screen.ts'
import type { Spool } from '../spool/spool.ts'
import { Approvals } from './approvals.ts'
import { type AutoEnd, AutoExitWatch } from './auto-exit.ts'
import { Hold } from './hold.ts'
import { Prompts } from './prompts.ts'
import type { Reporter } from './reporter.ts'
import { profileReport, reportOf, told } from './report-of.ts'
import type { SessionFiles } from './session-files.ts'
import type { SessionLog } from './session-log.ts'

/** Events that are remembered as acted on; one comes a second time soon or never. */
const handledMax = 2_000

/** Characters of the form of a question; a larger one could not be shown. */
const schemaChars = 32 * 1024

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
  agent: AgentSession
  /** Where the programs that it starts can reach people; absent where this machine has no such place. */
  desk?: Desk | undefined
  sessionLog: SessionLog
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

/**
 * One agent from ready to gone. What it does becomes reports, in order; what people do becomes calls: one message at a
 * time, claimed before it is handed over; answers compared before they are given.
 */
export class AgentRun {
  readonly #ports: RunPorts
  readonly #approvals: Approvals
  /** Who hears the answers of people. */
  readonly #answers: Pick<AgentSession, 'answer' | 'dismiss' | 'answerQuestion' | 'capabilities'>
  readonly #prompts: Prompts
  readonly #autoExit: AutoExitWatch
  readonly #hold: Hold
  readonly #handled = new Set<string>()
  /** Keys reach the terminal in the order of the log, whatever the disk takes for each. */
  #typing: Promise<unknown> = Promise.resolve()
  #turn: { turn: string; message: string | undefined; isSeen: boolean } | undefined
  /** Said into the turn; the model has them, and has not said anything since. */
  #heardBy: string[] = []
  #interrupts: { control: string; timer: NodeJS.Timeout }[] = []
  #isReady = false
  #isOver = false
  #fault: string | undefined
  #lastOutputAt: string | undefined

  constructor(ports: RunPorts) {
    this.#ports = ports
    const { session, agentName: agent, cwd, envNames, reporter, redactor, spool, sessionLog, log } = ports
    this.#hold = new Hold({
      tree: ports.agent.tree,
      report: (report) => reporter.put(report),
      hasTurn: () => this.#turn !== undefined,
      onGoing: () => this.#prompts.pump(),
    })
    this.#answers = ports.desk?.answering(ports.agent) ?? ports.agent
    this.#prompts = new Prompts({
      session,
      agent: ports.agent,
      sessionLog,
      reporter,
      spool,
      log,
      isFree: () =>
        this.#isReady && !this.#isOver && this.#turn === undefined && !this.#hold.isPaused && !this.#isUndoing(),
      running: () => {
        const isOut = this.#isOver || this.#interrupts.length > 0 || this.#hold.isPaused
        return isOut ? undefined : this.#turn?.turn
      },
      takesInput: ports.takesInput,
      beforeTurn: async (turn) => ports.files?.turnBegins(turn),
      onTurn: (turn, message) => {
        // What the agent had begun by itself meanwhile becomes part of what it is asked now.
        const own = this.#turn?.turn
        if (own !== undefined) reporter.put({ type: 'turn.ended', data: { turn: own, end: 'end' } })
        this.#turn = { turn, message, isSeen: false }
      },
    })
    ports.files?.onSettled(() => this.#prompts.pump())
    this.#autoExit = new AutoExitWatch(
      ports.autoExit,
      { atRest: () => this.#isAtRest(), tellsGoals: () => ports.desk?.isAttended === true },
      ports.onAutoEnd,
    )
    this.#approvals = new Approvals({
      session,
      agent,
      cwd,
      envNames,
      agentSession: this.#answers,
      reporter,
      redactor,
      spool,
      turn: () => this.#turn?.turn,
      onReason: (title, reason) => this.#prompts.tellLater(title, reason),
    })
  }

  /** When the agent last said or printed anything. */
  get lastOutputAt(): string | undefined {
    return this.#lastOutputAt
  }

  /** Hears the agent to its end. `room` sets the pace. */
  async hear(room: () => Promise<void> | undefined): Promise<RunEnd> {
    this.#isReady = true
    this.#ports.desk?.attend((event) => this.#heardAtDesk(event))
    this.#prompts.pump()
    this.#autoExit.stir()
    let end: Extract<AgentEvent, { t: 'exit' }> = { t: 'exit', exit: { code: null, signal: null } }
    for await (const event of this.#ports.agent.events()) {
      await room()
      this.#autoExit.stir()
      this.#lastOutputAt = new Date().toISOString()
      if (event.t === 'exit') end = event
      else this.#heard(event)
      await this.#ports.screen?.settle()
    }
    this.#isOver = true
    this.#hold.end()
    this.#prompts.over()
    this.#autoExit[Symbol.dispose]()
    this.#ports.reporter.endText()
    this.#ports.reporter.endOutput()
    for (const { timer } of this.#interrupts) clearTimeout(timer)
    return { exit: end.exit, fault: this.#fault, heard: end.heard }
  }

  /** An event of the session's stream, already folded. Each is acted on once, however often it comes. */
  followed(event: Envelope): void {
    const known = asKnown(event)
    if (!known || this.#isOver) return
    this.#autoExit.stir()
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- the others ask nothing of the agent
    switch (known.type) {
      case 'message.posted':
      case 'message.edited':
      case 'message.hurried':
      case 'message.reordered':
      case 'message.withdrawn':
      case 'checkpoint.restored':
      case 'undo.refused':
      case 'session.state_changed':
        return this.#prompts.changed()
      case 'approval.resolved':
        return this.#whenGoing(known, () => this.#approvals.resolved(known))
      case 'approval.timed_out':
        return this.#whenGoing(known, () => this.#approvals.timedOut(known.data.approval))
      case 'approval.cancelled':
        return this.#whenGoing(known, () => this.#approvals.cancelled(known.data.approval))
      case 'question.answered':
        return this.#whenGoing(known, () => this.#questionAnswered(known))
      case 'input.sent':
        return this.#whenGoing(known, () => {
          this.#typing = this.#typing.then(() => this.#keys(known))
          return this.#typing
        })
      case 'terminal.resized':
        this.#ports.screen?.resize(known.data)
        return this.#ports.agent.resize(known.data)
      case 'control.requested':
        return this.#once(known, () => this.control(known.data))
      default:
        return
    }
  }

  /** An event of a log that took the place of another one: answers to what the agent still waits for, and nothing else. */
  recalled(event: Envelope): void {
    const isAnswer = event.type.startsWith('approval.') || event.type === 'question.answered'
    if (isAnswer) this.followed(event)
  }

  /** The state is known anew: whatever waits in it is taken up. */
  catchUp(): void {
    for (const data of this.#ports.sessionLog.controls) {
      this.#once({ type: 'control.requested', subject: `control:${data.control}` }, () => this.control(data))
    }
    this.#prompts.readAnew()
  }

  /** Something that a person wants done to the agent. */
  async control(data: DataOf<'control.requested'>): Promise<void> {
    const { control, action } = data
    switch (action) {
      case 'interrupt':
        if (!this.#turn) return this.#done(data)
        this.#interrupts.push({
          control,
          timer: setTimeout(() => this.#notStopping(data), this.#ports.interruptTimeoutMs),
        })
        this.#prompts.tellNothing()
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
        return this.#hold.pause(data)
      case 'resume':
        return this.#hold.resume(data)
    }
  }

  #heard(event: Exclude<AgentEvent, { t: 'exit' }>): void {
    const { reporter } = this.#ports
    switch (event.t) {
      case 'text':
        this.#seen()
        return reporter.text(event.role, event.message, event.delta)
      case 'output':
        reporter.output(event.source, event.text, event.place)
        // A program that asked its terminal something does not wait until pieces are joined.
        if (this.#ports.screen && mayAsk(event.text)) reporter.flush()
        return
      case 'profile':
        return reporter.put(profileReport(this.#ports.asConfigured(event)))
      case 'step_progressed':
        return reporter.progress(event.step, reportOf(event, this.#turn?.turn))
      case 'step_started':
      case 'step_finished':
        this.#seen()
        if (event.t === 'step_started') this.#ports.files?.stepBegan(event.step, event.kind, event.title)
        else this.#ports.files?.stepEnded(event.step)
        reporter.endText()
        return reporter.put(reportOf(event, this.#turn?.turn))
      case 'plan':
      case 'usage':
        return reporter.put(reportOf(event, this.#turn?.turn))
      case 'heard':
        reporter.endText()
        this.#heardBy.push(event.message)
        return
      case 'ask':
        this.#seen()
        reporter.endText()
        this.#do('approval', this.#approvals.request(event.ask))
        return this.#hold.step()
      case 'ask_closed':
        return this.#approvals.closed(event.ask, event.reason)
      case 'question':
        this.#seen()
        reporter.endText()
        this.#do('question', this.#ask(event))
        return this.#hold.step()
      case 'question_closed':
        return reporter.put(reportOf(event, this.#turn?.turn))
      case 'turn_began':
        if (this.#turn) return
        this.#turn = { turn: event.turn, message: undefined, isSeen: false }
        void this.#ports.files?.turnBegins(event.turn)
        return reporter.put({ type: 'turn.started', data: { turn: event.turn } })
      case 'turn_ended':
        if (this.#turn?.turn === event.turn) this.#turnEnded(event)
        return
      case 'said':
        reporter.endText()
        return reporter.say(event.message, event.text)
      case 'goal':
        reporter.endText()
        reporter.put({ type: 'goal.completed', data: { by: 'agent' }, body: told({ summary: event.summary }) })
        return this.#autoExit.goalReached()
      case 'fault':
        this.#fault = event.note
        return
    }
  }

  /** What the agent's own programs do is its doing. */
  #heardAtDesk(event: DeskEvent): void {
    if (this.#isOver) return
    this.#autoExit.stir()
    this.#heard(event)
  }

  #turnEnded({ turn, end, error, patch }: Extract<AgentEvent, { t: 'turn_ended' }>): void {
    const { reporter } = this.#ports
    reporter.endText()
    reporter.put({ type: 'turn.ended', data: { turn, end }, body: told({ error, patch }) })
    this.#turn = undefined
    this.#ports.files?.turnEnded(turn)
    const interrupts = this.#interrupts
    this.#interrupts = []
    for (const { control, timer } of interrupts) {
      clearTimeout(timer)
      reporter.put({ type: 'control.done', data: { control, action: 'interrupt' } })
    }
    this.#hold.step()
    this.#prompts.pump()
    if (end === 'end') this.#autoExit.turnEnded()
  }

  /** Nobody waits for it, and it waits for nobody. What it may never hear does not count. */
  #isAtRest(): boolean {
    const { state } = this.#ports.sessionLog
    if (
      this.#turn !== undefined ||
      this.#prompts.isBusy ||
      !this.#isReady ||
      state?.status !== 'active' ||
      state.ending
    )
      return false
    const waiting = this.#ports.takesInput ? state.queue.length : 0
    return waiting + state.approvals.length + state.questions.length === 0
  }

  /** Files are looked at or put back: whoever wrote them would be mixed up. */
  #isUndoing(): boolean {
    return this.#ports.files?.isSettling === true || this.#ports.sessionLog.state?.undo?.phase === 'approved'
  }

  #seen(): void {
    const { reporter } = this.#ports
    for (const message of this.#heardBy.splice(0)) reporter.put({ type: 'message.seen', data: { message } })
    if (!this.#turn || this.#turn.isSeen) return
    this.#turn.isSeen = true
    const { message } = this.#turn
    if (message !== undefined) reporter.put({ type: 'message.seen', data: { message } })
  }

  async #ask(event: Extract<AgentEvent, { t: 'question' }>): Promise<void> {
    const { reporter } = this.#ports
    const canBeShown = JSON.stringify(event.schema ?? {}).length <= schemaChars
    const fate = canBeShown ? await reporter.ask(reportOf(event, this.#turn?.turn)) : undefined
    // What nobody will see, nobody can answer.
    if (fate !== 'kept' && fate !== 'lost') await this.#answers.answerQuestion(event.question, { action: 'cancel' })
  }

  async #questionAnswered({ data, body }: EventOf<'question.answered'>): Promise<void> {
    const { question, action } = data
    const answer = action === 'accept' ? { action, content: body?.content ?? {} } : { action }
    await this.#answers.answerQuestion(question, answer)
  }

  async #keys({ data, body }: EventOf<'input.sent'>): Promise<void> {
    if (!body || !this.#ports.takesInput) return
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
    const seconds = this.#ports.interruptTimeoutMs / 1_000
    this.#failed(data, `The agent has not stopped within ${seconds} seconds. End the session to stop it.`)
  }

  /** What is for an agent that is paused waits until it goes on. */
  #whenGoing(event: Pick<Envelope, 'type' | 'subject'>, act: () => Promise<unknown>): void {
    this.#once(event, () => this.#hold.whenGoing(async () => (this.#isOver ? undefined : await act())))
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
