import { setTimeout as pause } from 'node:timers/promises'
import { isTakenBack } from '@hotline/core/session/standing-mode'
import { awaitsReview, openApprovals } from '@hotline/core/session/state'
import type { Report } from '@hotline/protocol/commands/agent'
import type { Envelope } from '@hotline/protocol/event'
import type { DataOf } from '@hotline/protocol/events'
import { asKnown } from '@hotline/protocol/known-event'
import type { AgentEvent, Picture } from '../adapters/adapter.ts'
import type { RecordedCall } from '../adapters/recorded.ts'
import type { DeskEvent } from '../desk/desk.ts'
import { mayAsk } from '../terminal/screen.ts'
import { Approvals } from './approvals.ts'
import { AutoExitWatch } from './auto-exit.ts'
import { BudgetWatch } from './budget-watch.ts'
import { Chores } from './chores.ts'
import { Controls } from './controls.ts'
import { DiskWatch } from './disk-watch.ts'
import { EarlierLife } from './earlier-life.ts'
import { Hold } from './hold.ts'
import { Keyboard } from './keyboard.ts'
import { LoopWatch } from './loop-watch.ts'
import { type Left, Prompts } from './prompts.ts'
import { Questions } from './questions.ts'
import { profileReport, reportOf, told } from './report-of.ts'
import type { RunEnd, RunPorts } from './run-ports.ts'
import { RunningTurn } from './running-turn.ts'
import { SentFiles } from './sent-files.ts'
import { SubmittedDrafts } from './submitted-drafts.ts'

/** What an agent does after it has said what it was saying. */
const endsText: ReadonlySet<AgentEvent['t']> = new Set([
  'step_started',
  'step_finished',
  'heard',
  'ask',
  'question',
  'picture',
])

/**
 * One agent from ready to gone. What it does becomes reports, in order; what people do becomes calls: one message at a
 * time, claimed before it is handed over; answers compared before they are given.
 */
export class AgentRun {
  readonly #ports: RunPorts
  readonly #approvals: Approvals
  readonly #prompts: Prompts
  readonly #autoExit: AutoExitWatch
  readonly #submitted: SubmittedDrafts
  readonly #sent: SentFiles
  readonly #hold: Hold
  readonly #budget: BudgetWatch
  readonly #disk: DiskWatch
  readonly #loops: LoopWatch
  readonly #controls: Controls
  readonly #chores: Chores
  readonly #questions: Questions
  readonly #keyboard: Keyboard
  readonly #turn: RunningTurn
  readonly #earlier: EarlierLife
  #isReady = false
  #isOver = false
  /** Everything that the agent has said is dealt with. */
  #isWaiting = false
  #fault: string | undefined
  #lastOutputMs: number | undefined

  constructor(ports: RunPorts) {
    this.#ports = ports
    const { session, agentName: agent, cwd, envNames, reporter, redactor, spool, sessionLog, log } = ports
    this.#turn = new RunningTurn(reporter)
    this.#chores = new Chores(ports)
    this.#keyboard = new Keyboard(ports)
    const report = (put: Report): void => reporter.put(put)
    const hasTurn = (): boolean => this.#turn.now !== undefined
    this.#hold = new Hold({ tree: ports.agent.tree, report, hasTurn, onGoing: () => this.#prompts.pump() })
    this.#controls = new Controls({
      agent: ports.agent,
      report,
      hold: this.#hold,
      turn: this.#turn,
      onInterrupt: () => this.#prompts.tellNothing(),
      onKill: ports.onKill,
      interruptTimeoutMs: ports.interruptTimeoutMs,
    })
    this.#loops = new LoopWatch(report)
    this.#budget = new BudgetWatch({
      state: () => sessionLog.state,
      report,
      hold: this.#hold,
      isAtWork: () => this.#isAtWork(),
      hasSteps: () => ports.agent.capabilities.input === 'turns',
    })
    this.#disk = new DiskWatch({
      folder: cwd,
      path: ports.path,
      isWanted: () => sessionLog.state?.budget?.diskBytes !== undefined && this.#isAtWork(),
      measured: (bytes) => this.#budget.disk(bytes),
    })
    const answers = ports.desk?.answering(ports.agent) ?? ports.agent
    this.#questions = new Questions(answers, reporter)
    this.#submitted = new SubmittedDrafts(ports.desk, () => this.#files)
    this.#sent = new SentFiles({ ...ports, folders: ports.place })
    this.#prompts = new Prompts({
      session,
      agent: ports.agent,
      sessionLog,
      attached: ports.attached,
      reporter,
      spool,
      log,
      isFree: () => this.#isReady && !this.#isOver && !hasTurn() && !this.#hold.isPaused && !this.#isUndoing(),
      running: () => {
        const isOut = this.#isOver || this.#controls.isInterrupting || this.#hold.isPaused
        return isOut ? undefined : this.#turn.now
      },
      takesInput: ports.takesInput,
      beforeTurn: async (turn) => ports.files?.turnBegins(turn),
      onTurn: (turn, message) => {
        // What the agent had begun by itself meanwhile becomes part of what it is asked now.
        const own = this.#turn.now
        if (own !== undefined) reporter.put({ type: 'turn.ended', data: { turn: own, end: 'end' } })
        this.#turn.begin(turn, message)
        if (message !== undefined) this.#loops.told()
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
      agentSession: answers,
      reporter,
      redactor,
      spool,
      turn: () => this.#turn.now,
      isTakenBack: (answer) => isTakenBack(ports.sessionLog.state ?? {}, answer),
      isRecalled: (approval) =>
        ports.sessionLog.state?.approvals.some((one) => one.approval === approval && one.recalledBy) === true,
      onReason: (title, reason, by) => this.#prompts.tellLater(title, reason, by),
    })
    this.#earlier = new EarlierLife({
      ports,
      turn: this.#turn,
      prompts: this.#prompts,
      approvals: this.#approvals,
      questions: this.#questions,
      chores: this.#chores,
    })
  }

  /** When the agent last said or printed anything. */
  get lastOutputAt(): string | undefined {
    return this.#lastOutputMs === undefined ? undefined : new Date(this.#lastOutputMs).toISOString()
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
      // What an agent streams comes by tens of thousands a second: nothing is awaited that is not to be waited for.
      const roomy = room()
      if (roomy) await roomy
      this.#autoExit.stir()
      this.#lastOutputMs = Date.now()
      if (event.t === 'exit') end = event
      else {
        const dealt = this.#hearEvent(event)
        if (dealt) await dealt
      }
      if (this.#ports.screen) await this.#ports.screen.settle()
    }
    this.#isOver = true
    this.#budget[Symbol.dispose]()
    this.#disk[Symbol.dispose]()
    this.#hold.end()
    this.#prompts.over()
    this.#autoExit[Symbol.dispose]()
    this.#ports.reporter.endText()
    this.#ports.reporter.endOutput()
    this.#controls.end()
    return { exit: end.exit, fault: this.#fault, heard: end.heard }
  }

  /** They are as they are now: what is only gone through once more changes nothing in them. */
  get #files(): RunPorts['files'] {
    return this.#isReady ? this.#ports.files : undefined
  }

  /** What an earlier life has heard is heard: from now on the agent is served. */
  present(): void {
    this.#isReady = true
    const turn = this.#turn.now
    if (turn !== undefined) void this.#files?.turnBegins(turn)
    this.#ports.desk?.attend((event) => this.#heardAtDesk(event))
    const { state } = this.#ports.sessionLog
    if (state?.status === 'paused' && state.paused)
      this.#hold.recall(state.paused.kind, state.reason === 'budget_spent' ? 'budget' : 'asked')
    this.#budget.begin()
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
    this.#earlier.again(recorded)
  }

  /** What people did while nobody was here to pass it on. `typed`: keys that the agent has. */
  takeUp(typed: ReadonlySet<string>): void {
    this.#earlier.takeUp(typed, (event) => this.followed(event))
    this.catchUp()
  }

  /** What an earlier life has said into a turn, or was about to: where the agent does not have it, it waits for its rest. */
  steerAgain(left: Left): Promise<void> {
    return this.#earlier.steerAgain(left)
  }

  /** What an earlier life was about to hand over when it ended. */
  handOver(turn: string, message: string | undefined, text: string, pictures?: readonly Picture[]): void {
    this.#prompts.handOver(turn, message, text, pictures)
  }

  /** Undefined where it is dealt with already. */
  #hearEvent(event: Exclude<AgentEvent, { t: 'exit' }>): Promise<void> | undefined {
    const { reporter, screen } = this.#ports
    if (event.t === 'output') {
      if (event.source !== 'log') this.#budget.printed(event.bytes)
      const before = reporter.output(event.source, event.text, event)
      if (before !== undefined) return event.source === 'pty' ? screen?.recall(before) : undefined
      // A program that asked its terminal something does not wait until pieces are joined.
      if (screen && mayAsk(event.text)) reporter.flush()
      return undefined
    }
    if (event.t === 'ask') return this.#approvals.look(event.ask).then(() => this.#hearWord(event))
    this.#hearWord(event)
    return undefined
  }

  #hearWord(event: Exclude<AgentEvent, { t: 'exit' | 'output' }>): void {
    const { reporter } = this.#ports
    reporter.hear(event.at)
    // What its programs do at the desk comes beside its words, and cuts none in two.
    if (endsText.has(event.t)) reporter.endText()
    this.#heard(event)
    this.#budget.look()
    reporter.heard()
  }

  /** An event of the session's stream, already folded. Each is acted on once, however often it comes. */
  followed(event: Envelope): void {
    const known = asKnown(event)
    // What comes while the past is gone through is in the state, and taken up from there.
    if (!known || this.#isOver || !this.#isReady) return
    this.#autoExit.stir()
    this.#budget.look()
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
      case 'draft.refused':
      case 'draft.resolved':
      case 'draft.dropped':
        this.#submitted.followed(known)
        return this.#prompts.changed()
      case 'approval.resolved':
        return this.#whenGoing(known, () => this.#approvals.resolved(known))
      case 'approval.timed_out':
        return this.#whenGoing(known, () => this.#approvals.timedOut(known.data.approval))
      case 'approval.cancelled':
        return this.#whenGoing(known, () => this.#approvals.cancelled(known.data.approval))
      case 'budget.changed':
        return this.#budget.changed()
      case 'question.answered':
        return this.#whenGoing(known, () => this.#questions.answered(known))
      case 'input.sent':
        return this.#whenGoing(known, () => this.#keyboard.type(known))
      case 'terminal.resized':
        this.#ports.screen?.resize(known.data)
        return this.#ports.agent.resize(known.data)
      case 'control.requested':
        return this.#chores.once(known, () => this.control(known.data))
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
      this.#chores.once({ type: 'control.requested', subject: `control:${data.control}` }, () => this.control(data))
    }
    this.#prompts.readAnew()
  }

  /** Something that a person wants done to the agent. */
  control(data: DataOf<'control.requested'>): Promise<void> {
    return this.#controls.act(data)
  }

  #heard(event: Exclude<AgentEvent, { t: 'exit' | 'output' }>): void {
    const { reporter } = this.#ports
    switch (event.t) {
      case 'text':
        this.#turn.stirs()
        return reporter.text(event.role, event.message, event.delta)
      case 'profile':
        return reporter.put(profileReport(this.#ports.asConfigured(event)))
      case 'step_progressed':
        this.#loops.hear(event)
        return reporter.progress(event.step, reportOf(event, this.#turn.now))
      case 'step_started':
      case 'step_finished':
        this.#turn.stirs()
        if (event.t === 'step_started') this.#files?.stepBegan(event.step, event.kind, event.title)
        else this.#files?.stepEnded(event.step)
        reporter.put(reportOf(event, this.#turn.now))
        this.#loops.hear(event)
        if (event.t === 'step_started') this.#budget.stepBegan()
        return
      case 'plan':
        return reporter.put(reportOf(event, this.#turn.now))
      case 'usage':
        reporter.put(reportOf(event, this.#turn.now))
        return this.#budget.cost(event.cost)
      case 'heard':
        return this.#turn.heard(event.message)
      case 'ask':
        this.#turn.stirs()
        this.#chores.do('approval', this.#approvals.request(event.ask))
        return this.#hold.step()
      case 'ask_closed':
        return this.#approvals.closed(event.ask, event.reason)
      case 'question':
        this.#turn.stirs()
        this.#chores.do('question', this.#questions.ask(event, this.#turn.now))
        return this.#hold.step()
      case 'question_closed':
        this.#questions.close(event.question)
        return reporter.put(reportOf(event, this.#turn.now))
      case 'turn_began':
        if (this.#turn.now !== undefined) return
        this.#turn.begin(event.turn)
        void this.#files?.turnBegins(event.turn)
        return reporter.put({ type: 'turn.started', data: { turn: event.turn } })
      case 'turn_ended':
        if (this.#turn.now === event.turn) this.#turnEnded(event)
        return
      case 'said':
        return reporter.say(event.message, event.text)
      case 'picture':
        this.#turn.stirs()
        // What an earlier life has heard, it has shown, or lost with itself.
        if (this.#isReady) this.#chores.do('picture', this.#sent.picture(event))
        return
      case 'goal':
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
    if (event.t === 'submitted' || event.t === 'unsubmitted')
      return this.#chores.do('draft', this.#submitted.heard(event))
    if (event.t === 'file') return this.#chores.do('file', this.#sent.heard(event))
    this.#heard(event)
  }

  #turnEnded({ turn, end, error, patch }: Extract<AgentEvent, { t: 'turn_ended' }>): void {
    const { reporter } = this.#ports
    reporter.endText()
    reporter.put({ type: 'turn.ended', data: { turn, end }, body: told({ error, patch }) })
    this.#turn.end()
    this.#files?.turnEnded(turn)
    this.#controls.turnEnded()
    this.#hold.step()
    this.#prompts.pump()
    if (end === 'end') this.#autoExit.turnEnded()
  }

  /** Nobody waits for it, and it waits for nobody. What it may never hear does not count. */
  #isAtRest(): boolean {
    const { state } = this.#ports.sessionLog
    if (
      this.#turn.now !== undefined ||
      this.#prompts.isBusy ||
      !this.#isReady ||
      state?.status !== 'active' ||
      state.ending
    )
      return false
    const waiting = this.#ports.takesInput ? state.queue.length : 0
    return waiting + state.approvals.length + state.questions.length === 0 && !awaitsReview(state)
  }

  /** Its time passes: it is in a turn, or it is a program, and neither is it held nor does it wait for anybody. */
  #isAtWork(): boolean {
    const { state } = this.#ports.sessionLog
    const isBusy = this.#turn.now !== undefined || this.#ports.agent.capabilities.input !== 'turns'
    const waits =
      state !== undefined && (openApprovals(state).length > 0 || state.questions.length > 0 || awaitsReview(state))
    return isBusy && !waits && !this.#hold.isPaused && !this.#isOver
  }

  /** Files are looked at or put back: whoever wrote them would be mixed up. */
  #isUndoing(): boolean {
    const { undo, draft } = this.#ports.sessionLog.state ?? {}
    return this.#ports.files?.isSettling === true || undo?.phase === 'approved' || draft?.phase === 'reviewed'
  }

  /** What is for an agent that is paused waits until it goes on. */
  #whenGoing(event: Pick<Envelope, 'type' | 'subject'>, act: () => Promise<unknown>): void {
    this.#chores.once(event, () => this.#hold.whenGoing(async () => (this.#isOver ? undefined : await act())))
  }
}
