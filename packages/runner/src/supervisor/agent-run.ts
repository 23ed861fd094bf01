import { setTimeout as pause } from 'node:timers/promises'
import type { Envelope } from '@hotline/protocol/event'
import { asKnown, type DataOf, type EventOf } from '@hotline/protocol/events'
import type { AgentEvent, AgentSession, Said, Verdict } from '../adapters/adapter.ts'
import type { RecordedCall } from '../adapters/recorded.ts'
import type { DeskEvent } from '../desk/desk.ts'
import { mayAsk } from '../terminal/screen.ts'
import { Approvals } from './approvals.ts'
import { AutoExitWatch } from './auto-exit.ts'
import { Hold } from './hold.ts'
import { lostAsks } from './lost-asks.ts'
import { Prompts } from './prompts.ts'
import { profileReport, reportOf, told } from './report-of.ts'
import type { RunEnd, RunPorts } from './run-ports.ts'

/** Events that are remembered as acted on; one comes a second time soon or never. */
const handledMax = 2_000

/** Characters of the form of a question; a larger one could not be shown. */
const schemaChars = 32 * 1024

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
  /** Those that the agent waits for. */
  readonly #questions = new Set<string>()
  /** What an earlier life has said into a turn, and whether the agent heard it. */
  readonly #steered = new Map<string, Promise<boolean>>()
  /** Keys reach the terminal in the order of the log, whatever the disk takes for each. */
  #typing: Promise<unknown> = Promise.resolve()
  #turn: { turn: string; message: string | undefined; isSeen: boolean } | undefined
  /** Said into the turn; the model has them, and has not said anything since. */
  #heardBy: string[] = []
  #interrupts: { control: string; timer: NodeJS.Timeout }[] = []
  #isReady = false
  #isOver = false
  /** Everything that the agent has said is dealt with. */
  #isWaiting = false
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

  /**
   * Hears the agent to its end. `room` sets the pace. `of` the `past`: what an earlier life has heard comes first, and until
   * `present` is called nothing is done to the agent.
   */
  async hear(room: () => Promise<void> | undefined, of: 'past' | 'present' = 'present'): Promise<RunEnd> {
    if (of === 'present') this.present()
    let end: Extract<AgentEvent, { t: 'exit' }> = { t: 'exit', exit: { code: null, signal: null } }
    const events = this.#ports.agent.events()[Symbol.asyncIterator]()
    for (;;) {
      this.#isWaiting = true
      const next = await events.next()
      this.#isWaiting = false
      if (next.done) break
      const event = next.value
      await room()
      this.#autoExit.stir()
      this.#lastOutputAt = new Date().toISOString()
      if (event.t === 'exit') end = event
      else await this.#hearEvent(event)
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

  /** They are as they are now: what is only gone through once more changes nothing in them. */
  get #files(): RunPorts['files'] {
    return this.#isReady ? this.#ports.files : undefined
  }

  /** What an earlier life has heard is heard: from now on the agent is served. */
  present(): void {
    this.#isReady = true
    if (this.#turn) void this.#files?.turnBegins(this.#turn.turn)
    this.#ports.desk?.attend((event) => this.#heardAtDesk(event))
    const { state } = this.#ports.sessionLog
    if (state?.status === 'paused' && state.paused) this.#hold.recall(state.paused.kind)
    this.#prompts.pump()
    this.#autoExit.stir()
  }

  /** Resolves when all that the agent has said so far is dealt with. */
  async idle(): Promise<void> {
    for (let looks = 0; looks < 2; looks += 1) {
      await pause(1)
      if (!this.#isWaiting && !this.#isOver) looks = -1
    }
  }

  /** Does again what an earlier life has done at this point. */
  again(recorded: RecordedCall): void {
    const { agent } = this.#ports
    const { call, args } = recorded
    if (call === 'prompt') {
      const [turn, , message] = args as [string, string, string | null]
      this.#turn = { turn, message: message ?? undefined, isSeen: false }
      this.#prompts.wasGiven(message ?? undefined)
    } else if (call === 'answer') {
      const [ask, verdict] = args as [string, Verdict]
      const title = this.#approvals.wasAnswered(ask)
      const isUnheard = verdict.verdict === 'deny' && !agent.capabilities.denyReason
      if (isUnheard && verdict.reason && title !== undefined) this.#prompts.tellLater(title, verdict.reason)
    } else if (call === 'steer') {
      const [{ message }] = args as [Said]
      this.#prompts.wasGiven(message)
      this.#steered.set(message, this.#ports.callAgain(recorded) as Promise<boolean>)
      return
    } else if (call === 'interrupt') this.#prompts.tellNothing()
    else if (call === 'answerQuestion') this.#questions.delete(String(args[0]))
    this.#do(call, this.#ports.callAgain(recorded))
  }

  /** What people did while nobody was here to pass it on. `typed`: keys that the agent has. */
  takeUp(typed: ReadonlySet<string>): void {
    const { sessionLog } = this.#ports
    const { answers, inputs } = sessionLog.undelivered
    for (const answer of answers) this.followed(answer)
    const { size } = sessionLog.wanted
    if (size) {
      this.#ports.screen?.resize(size)
      this.#ports.agent.resize(size)
    }
    const last = inputs.findLastIndex(({ data }) => typed.has(data.input))
    for (const input of inputs.slice(last + 1)) this.followed(input)
    this.#do('approval', this.#approvals.denyUnknown(sessionLog.state?.approvals ?? []))
    const knows = (name: string): boolean => this.#approvals.knows(name) || this.#questions.has(name)
    for (const report of lostAsks(sessionLog.state, knows)) this.#ports.reporter.put(report)
    this.catchUp()
  }

  /** What an earlier life has said into a turn, or was about to: where the agent does not have it, it waits for its rest. */
  async steerAgain(message: string, text: string, intent: string): Promise<void> {
    const isHeard = await this.#steered.get(message)?.catch(() => true)
    if (isHeard) this.#ports.spool.conclude(intent)
    else this.#prompts.leave({ message, text, intent })
  }

  /** What an earlier life was about to hand over when it ended. */
  handOver(turn: string, message: string | undefined, text: string): void {
    this.#prompts.handOver(turn, message, text)
  }

  async #hearEvent(event: Exclude<AgentEvent, { t: 'exit' }>): Promise<void> {
    const { reporter, screen } = this.#ports
    if (event.t === 'output') {
      const before = reporter.output(event.source, event.text, event)
      if (before !== undefined) return event.source === 'pty' ? await screen?.recall(before) : undefined
      // A program that asked its terminal something does not wait until pieces are joined.
      if (screen && mayAsk(event.text)) reporter.flush()
      return
    }
    reporter.hear(event.at)
    this.#heard(event)
    reporter.heard()
  }

  /** An event of the session's stream, already folded. Each is acted on once, however often it comes. */
  followed(event: Envelope): void {
    const known = asKnown(event)
    // What comes while the past is gone through is in the state, and taken up from there.
    if (!known || this.#isOver || !this.#isReady) return
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

  #heard(event: Exclude<AgentEvent, { t: 'exit' | 'output' }>): void {
    const { reporter } = this.#ports
    switch (event.t) {
      case 'text':
        this.#seen()
        return reporter.text(event.role, event.message, event.delta)
      case 'profile':
        return reporter.put(profileReport(this.#ports.asConfigured(event)))
      case 'step_progressed':
        return reporter.progress(event.step, reportOf(event, this.#turn?.turn))
      case 'step_started':
      case 'step_finished':
        this.#seen()
        if (event.t === 'step_started') this.#files?.stepBegan(event.step, event.kind, event.title)
        else this.#files?.stepEnded(event.step)
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
        this.#questions.add(event.question)
        this.#seen()
        reporter.endText()
        this.#do('question', this.#ask(event))
        return this.#hold.step()
      case 'question_closed':
        this.#questions.delete(event.question)
        return reporter.put(reportOf(event, this.#turn?.turn))
      case 'turn_began':
        if (this.#turn) return
        this.#turn = { turn: event.turn, message: undefined, isSeen: false }
        void this.#files?.turnBegins(event.turn)
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
    this.#files?.turnEnded(turn)
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
    if (fate !== 'kept' && fate !== 'lost' && fate !== 'told')
      await this.#answers.answerQuestion(event.question, { action: 'cancel' })
  }

  async #questionAnswered({ data, body }: EventOf<'question.answered'>): Promise<void> {
    const { question, action } = data
    this.#questions.delete(question)
    const answer = action === 'accept' ? { action, content: body?.content ?? {} } : { action }
    await this.#answers.answerQuestion(question, answer)
  }

  async #keys({ data, body }: EventOf<'input.sent'>): Promise<void> {
    if (!body || !this.#ports.takesInput) return
    const { spool, agent, log, session } = this.#ports
    try {
      const intent = await spool.intend({ what: 'keys', input: data.input })
      await agent.keys(Buffer.from(body.text, data.encoding), data.input)
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
