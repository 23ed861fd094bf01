import type { Capabilities } from '@hotline/protocol/capabilities'
import { limits } from '@hotline/protocol/limits'
import type { HeldProcess, HeldTree } from '../../process/holder.ts'
import type {
  AgentEvent,
  AgentFacts,
  AgentSession,
  Picture,
  AnswerResult,
  QuestionAnswer,
  Said,
  StartSpec,
  Verdict,
} from '../adapter.ts'
import { EventQueue } from '../event-queue.ts'
import { shownPictures } from '../shown-pictures.ts'
import { Breaker } from '../wire/breaker.ts'
import { Ids } from '../wire/ids.ts'
import { parseObject } from '../wire/json.ts'
import { type Tee, Wire } from '../wire/wire.ts'
import { Asks } from './asks.ts'
import { asWords, Commands } from './commands.ts'
import { Control } from './control.ts'
import { Interrupter } from './interrupter.ts'
import { Lines } from './lines.ts'
import { Modes, startMode } from './modes.ts'
import { Notes } from './notes.ts'
import { Requests } from './requests.ts'
import type { Initialized } from './schema.ts'
import { Tools } from './tools.ts'
import { type Ending, Turns } from './turns.ts'

/** Bytes of events that may wait for the session before the agent is no longer read. */
const queueBytes = 1024 * 1024

/** Bytes of one line: the agent sends whole files in one, before and after a change. */
const lineBytes = 16 * 1024 * 1024

/** An agent that died may have left children; they get so long for their last words. */
const orphanGraceMs = 500

/** One Claude Code that speaks its control protocol over its stdin and stdout. */
export class ClaudeSession implements AgentSession {
  readonly control: Control
  readonly breaker: Breaker
  readonly modes: Modes
  readonly #held: HeldProcess
  readonly #queue = new EventQueue<AgentEvent>(queueBytes)
  readonly #wire: Wire
  readonly #asks: Asks
  readonly #tools: Tools
  readonly #notes = new Notes()
  readonly #turns: Turns
  readonly #interrupter: Interrupter
  readonly #lines: Lines
  readonly #requests: Requests
  #commands = new Commands({ commands: undefined })
  #native: string
  #received = 0
  #faulted = false

  constructor(held: HeldProcess, spec: StartSpec, native: string, tee: Tee | undefined) {
    this.#held = held
    this.#native = native
    const ids = new Ids(spec.seed)
    this.breaker = new Breaker((note) => this.#fault(note), held)
    const emit = (event: AgentEvent): void => this.#queue.push(event, sizeOf(event))
    this.control = new Control((message) => this.#send(message), this.breaker, ids.next())
    this.modes = new Modes(
      { control: this.control, asking: spec.asking, breaker: this.breaker, emit, fault: (note) => this.#fault(note) },
      startMode(spec),
    )
    this.#asks = new Asks(this.control, ids.next, spec.fenced === true)
    this.#tools = new Tools(emit, ids.next)
    this.#turns = new Turns(
      {
        began: (turn) => emit({ t: 'turn_began', turn }),
        ended: (turn, ending) => this.#turnEnded(turn, ending),
        heard: (message) => emit({ t: 'heard', message }),
        isAsking: () => !this.#asks.isEmpty,
      },
      ids.next,
    )
    this.#interrupter = new Interrupter(this.control, this.#turns)
    const { breaker, control, modes } = this
    this.#requests = new Requests({
      control,
      breaker,
      asks: this.#asks,
      tools: this.#tools,
      notes: this.#notes,
      emit,
      isCancelling: () => this.#turns.isCancelling,
    })
    this.#lines = new Lines({
      breaker,
      modes,
      tools: this.#tools,
      turns: this.#turns,
      usedBefore: spec.usedBefore,
      emit,
      isUnderWay: () => this.#interrupter.underWay(),
      isNative: (id) => this.#isNative(id),
      id: ids.next,
    })
    this.#wire = new Wire(held, this.#queue, this.breaker, tee, (line) => this.#receive(line), ids, lineBytes)
    void this.#watchExit()
  }

  get pid(): number {
    return this.#held.pid
  }

  get startedAt(): string {
    return this.#held.startedAt
  }

  get tree(): HeldTree {
    return this.#held
  }

  get capabilities(): Capabilities {
    return {
      input: 'turns',
      steer: true,
      interrupt: true,
      pause: 'signal',
      resume: true,
      verdicts: ['allow', 'deny', 'modify'],
      denyReason: true,
      questions: true,
      screen: false,
    }
  }

  get facts(): AgentFacts {
    return { ...this.modes.facts, model: this.#lines.model, native: this.#native }
  }

  /** The last of what it said on stderr, for the person who wonders why it did not start. */
  get lastWords(): string {
    return this.#wire.stderrTail
  }

  events(): AsyncIterable<AgentEvent> {
    return this.#queue
  }

  /** Takes the answer of the handshake. Rejects with a StartError where the agent will not be in the mode that it should. */
  settle(initialized: Initialized): Promise<void> {
    this.#commands = new Commands(initialized)
    return this.modes.open(initialized.current_permission_mode ?? undefined)
  }

  async prompt(turn: string, text: string, _message?: string, pictures: readonly Picture[] = []): Promise<void> {
    if (this.#turns.isBusy) throw new Error('A turn is under way.')
    const uuid = this.#turns.begin(turn)
    this.#lines.breakText()
    await this.#write(uuid, text, pictures)
  }

  /** It reads what comes meanwhile with the next call of its model, or answers it right after the present answer. */
  async steer({ turn, message, text, pictures }: Said): Promise<boolean> {
    const uuid = this.#turns.say(turn, message)
    if (uuid === undefined) return false
    await this.#write(uuid, text, pictures)
    return true
  }

  async #write(uuid: string, text: string, pictures: readonly Picture[] = []): Promise<void> {
    const refused = this.#commands.refused(text)
    if (refused !== undefined)
      this.#tell(`"/${refused.slice(0, 100)}" was given to the agent as words: it is for its own terminal.`)
    const images = shownPictures(pictures).map(({ type, base64 }) => ({
      type: 'image',
      source: { type: 'base64', media_type: type, data: base64 },
    }))
    const words = { type: 'text', text: refused === undefined ? text : asWords(text) }
    this.#send({
      type: 'user',
      message: { role: 'user', content: [...images, words] },
      parent_tool_use_id: null,
      session_id: this.#native,
      uuid,
    })
    await this.#handedOver()
  }

  async answer(ask: string, verdict: Verdict): Promise<AnswerResult> {
    const answered = this.#asks.answer(ask, verdict)
    if (answered.result !== 'applied') return answered.result
    const { step, input } = answered
    if (verdict.verdict === 'deny') this.#tools.denied(step)
    if (verdict.verdict === 'modify') {
      this.#tools.modified(step, input)
      this.#notes.changed(this.#tools.idOf(step), input)
    }
    if (verdict.verdict !== 'deny' && verdict.reason) this.#notes.said(this.#tools.idOf(step), verdict.reason)
    this.#turns.settled()
    await this.#handedOver()
    return 'applied'
  }

  async dismiss(ask: string): Promise<void> {
    const step = this.#asks.dismiss(ask)
    if (step !== undefined) this.#tools.denied(step)
    this.#turns.settled()
    await this.#handedOver()
  }

  async answerQuestion(question: string, answer: QuestionAnswer): Promise<'applied' | 'stale'> {
    const result = this.#asks.answerQuestion(question, answer)
    this.#turns.settled()
    await this.#handedOver()
    return result
  }

  async interrupt(): Promise<void> {
    if (this.#turns.current === undefined && this.#asks.isEmpty) return
    this.#interrupter.interrupt()
    const { asks, questions } = this.#asks.closeAll()
    for (const ask of asks) this.#queue.push({ t: 'ask_closed', ask, reason: 'turn_ended' })
    for (const question of questions) this.#queue.push({ t: 'question_closed', question, reason: 'turn_ended' })
    this.#turns.settled()
    await this.#handedOver()
  }

  setMode(mode: string): Promise<void> {
    return this.modes.set(mode)
  }

  keys(): Promise<void> {
    return Promise.reject(new Error('This agent takes messages, not keys.'))
  }

  resize(): void {
    // It has no screen.
  }

  stop(graceMs: number): Promise<readonly number[]> {
    return this.#held.end(graceMs)
  }

  #send(message: Record<string, unknown>): void {
    this.#wire.send(`${JSON.stringify(message)}\n`)
  }

  #tell(text: string): void {
    this.#queue.push({ t: 'output', source: 'log', text: `${text}\n`, bytes: text.length + 1 })
  }

  /** Rejects where the agent was gone before it had what was sent. */
  async #handedOver(): Promise<void> {
    if (!(await this.#wire.flushed)) throw new Error('The agent ended before it had this.')
  }

  #receive(line: string): void {
    this.#received += 1
    const message = parseObject(line, limits.jsonDepth)
    if (!message) return this.breaker.count('not a JSON object', 'broken')
    switch (message['type']) {
      case 'control_response':
        return this.control.settle(message)
      case 'control_request':
        this.#lines.breakText()
        return this.#requests.asked(message)
      case 'control_cancel_request':
        this.#requests.withdrawn(message)
        return this.#turns.settled()
      default:
        return this.#lines.take(message)
    }
  }

  /** The agent's own name for the conversation: another one after it was told to begin anew. */
  #isNative(id: string): void {
    if (id === this.#native) return
    this.#native = id
    this.#queue.push({ t: 'profile', native: id })
  }

  #turnEnded(turn: string, ending: Ending): void {
    this.#interrupter.done()
    this.#lines.breakText()
    this.#tools.closeAll(ending.end === 'cancelled' ? 'cancelled' : 'ended')
    const usage = this.#lines.usage
    if (usage) this.#queue.push({ t: 'usage', ...usage })
    this.#queue.push({
      t: 'turn_ended',
      turn,
      end: ending.end,
      ...(ending.error === undefined ? {} : { error: ending.error }),
    })
  }

  #fault(note: string): void {
    if (this.#faulted) return
    this.#faulted = true
    this.#wire.stop()
    this.#queue.push({ t: 'fault', note })
    this.control.close()
    void this.#held.end(0)
  }

  async #watchExit(): Promise<void> {
    const exit = await this.#held.exited
    await this.#held.end(orphanGraceMs)
    await this.#wire.drained
    this.control.close()
    this.#interrupter.done()
    const heard = { lines: this.#received, unused: Object.fromEntries(this.breaker.counts) }
    this.#queue.push({ t: 'exit', exit, heard })
    this.#queue.end()
  }
}

function sizeOf(event: AgentEvent): number {
  return event.t === 'text' ? 200 + event.delta.length * 2 : JSON.stringify(event).length * 2
}
