import type { Capabilities } from '@hotline/protocol/capabilities'
import type { TurnEnd } from '@hotline/protocol/events/turn'
import type { HeldProcess, HeldTree } from '../../process/holder.ts'
import {
  type AgentEvent,
  type AgentFacts,
  type AgentSession,
  type Picture,
  type QuestionAnswer,
  type Said,
  type StartSpec,
  type Verdict,
} from '../adapter.ts'
import { EventQueue } from '../event-queue.ts'
import { shownPictures } from '../shown-pictures.ts'
import { UsedSoFar } from '../used-so-far.ts'
import { Asks } from './asks.ts'
import { Breaker } from '../wire/breaker.ts'
import { Ids } from '../wire/ids.ts'
import { ModeKeeper } from './mode-keeper.ts'
import { connectionClosed, Peer, type RpcId, type RpcOutcome } from '../wire/peer.ts'
import {
  CancelRequest,
  ElicitationParams,
  type InitializeResult,
  type OpenedSession,
  PermissionParams,
  PromptResult,
  UpdateParams,
} from './schema.ts'
import { Steering } from './steering.ts'
import { Tools } from './tools.ts'
import { Updates } from './updates.ts'
import { Silence } from './v2/silence.ts'
import { outcomeOf, Translation } from './v2/translate.ts'
import { Wire, type Tee } from '../wire/wire.ts'

/** Bytes of events that may wait for the session before the agent is no longer read. */
const queueBytes = 1024 * 1024

/** An agent that died may have left children; they get so long for their last words. */
const orphanGraceMs = 500

const invalidParams = -32_602

/** A model that thinks may be silent for minutes; after this people are told that nothing comes. */
const silenceAfterMs = 5 * 60_000

/** One agent that speaks ACP, v1 or the draft of v2, over its stdin and stdout. */
export class AcpSession implements AgentSession {
  readonly peer: Peer
  readonly breaker: Breaker
  readonly #held: HeldProcess
  readonly #spec: StartSpec
  readonly #queue = new EventQueue<AgentEvent>(queueBytes)
  readonly #wire: Wire
  readonly #asks: Asks
  readonly #tools: Tools
  readonly #updates: Updates
  readonly #used: UsedSoFar
  readonly #modes: ModeKeeper
  #native: string | undefined
  #canResume = false
  #canSteer = false
  #seesPictures = false
  readonly #steering: Steering
  /** `gaveUp`: the person stopped it while it waited for an answer. `begun`: it has said, in v2, that it works on it. */
  #turn: { turn: string; cancelling: boolean; gaveUp: boolean; begun: boolean } | undefined
  readonly #silence: Silence
  /** Where it speaks v2. */
  #translation: Translation | undefined
  #replaying = true
  #faulted = false

  constructor(held: HeldProcess, spec: StartSpec, tee: Tee | undefined, silenceMs = silenceAfterMs) {
    this.#held = held
    this.#spec = spec
    const ids = new Ids(spec.seed)
    this.breaker = new Breaker((note) => this.#fault(note), held)
    this.peer = new Peer(
      (line) => this.#wire.send(line),
      {
        request: (id, method, params) => this.#request(id, method, params),
        notification: (method, params) => this.#notification(method, params),
      },
      this.breaker,
      ids.next(),
    )
    this.#silence = new Silence({
      afterMs: silenceMs,
      isDue: () => this.#owesWord,
      silent: () => this.#tellSilence(silenceMs),
    })
    this.#wire = new Wire(
      held,
      this.#queue,
      this.breaker,
      tee,
      (line) => {
        this.peer.receive(line)
        this.#silence.stir()
      },
      ids,
    )
    this.#asks = new Asks(this.peer, spec.allowAlways, ids.next)
    const emit = (event: AgentEvent): void => this.#queue.push(event, sizeOf(event))
    this.#tools = new Tools(emit, ids.next)
    this.#steering = new Steering({ peer: this.peer, native: () => this.#native, emit })
    this.#used = new UsedSoFar(spec)
    this.#updates = new Updates(
      {
        emit,
        cost: (told) => this.#used.cost(told),
        tool: (patch) => void this.#tools.patch(patch, 'update'),
        mode: (update) => this.#modes.updated(update),
      },
      this.breaker,
      ids.next,
    )
    this.#modes = new ModeKeeper({
      peer: this.peer,
      version: () => (this.#translation ? 2 : 1),
      asking: spec.asking,
      breaker: this.breaker,
      native: () => this.#native,
      emit,
      fault: (note) => this.#fault(note),
    })
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
      ...(this.#canSteer ? { steer: true } : {}),
      interrupt: true,
      pause: 'signal',
      resume: this.#canResume,
      verdicts: ['allow', 'deny'],
      denyReason: false,
      questions: true,
      screen: false,
    }
  }

  get facts(): AgentFacts {
    return { ...this.#modes.facts, native: this.#native }
  }

  /** The last of what it said on stderr, for the person who wonders why it did not start. */
  get lastWords(): string {
    return this.#wire.stderrTail
  }

  events(): AsyncIterable<AgentEvent> {
    return this.#queue
  }

  /** What it says from now on is v2. */
  speakV2(): void {
    this.#translation = new Translation()
  }

  /** Takes the answers of the handshake; forces the asking mode. Rejects with a StartError where that fails. */
  async settle(initialized: InitializeResult, opened: OpenedSession, native: string): Promise<void> {
    this.#native = native
    const { loadSession, promptCapabilities, sessionCapabilities } = initialized.agentCapabilities ?? {}
    const canResume = loadSession === true || Boolean(sessionCapabilities?.resume) || this.#translation !== undefined
    this.#canResume = canResume && this.#spec.losesSessions !== true
    this.#canSteer = initialized.steers
    this.#seesPictures = promptCapabilities?.image === true
    await this.#modes.open(opened, this.#spec.mode)
    this.#replaying = false
  }

  async prompt(turn: string, text: string, _message?: string, pictures: readonly Picture[] = []): Promise<void> {
    if (this.#turn) throw new Error('A turn is under way.')
    this.#turn = { turn, cancelling: false, gaveUp: false, begun: false }
    this.#updates.breakText()
    const params = { sessionId: this.#native, prompt: [{ type: 'text', text }, ...this.#shown(pictures)] }
    this.peer.call('session/prompt', params, (outcome) => {
      // In v2 that is the receipt; the end comes as a state.
      if (!this.#translation || !outcome.ok) this.#turnEnded(turn, outcome)
      else if (this.#turn?.turn === turn) this.#turn.begun = true
    })
    await this.#handedOver()
  }

  async steer({ turn, message, text, pictures }: Said): Promise<boolean> {
    if (this.#turn?.turn !== turn || this.#turn.cancelling) return false
    return this.#steering.say(message, text, this.#shown(pictures))
  }

  #shown(pictures: readonly Picture[] = []): readonly unknown[] {
    const shown = this.#seesPictures ? shownPictures(pictures) : []
    return shown.map(({ type, base64 }) => ({ type: 'image', mimeType: type, data: base64 }))
  }

  async answer(ask: string, verdict: Verdict): Promise<'applied' | 'stale' | 'unsupported'> {
    const answered = this.#asks.answer(ask, verdict)
    if (answered.result !== 'applied') return answered.result
    if (verdict.verdict === 'deny') this.#tools.deny(answered.step)
    this.#silence.stir()
    await this.#handedOver()
    return 'applied'
  }

  async dismiss(ask: string): Promise<void> {
    this.#asks.dismiss(ask)
    await this.#handedOver()
  }

  async answerQuestion(question: string, answer: QuestionAnswer): Promise<'applied' | 'stale'> {
    const result = this.#asks.answerQuestion(question, answer)
    this.#silence.stir()
    await this.#handedOver()
    return result
  }

  async interrupt(): Promise<void> {
    if (!this.#turn) return
    this.#turn.cancelling = true
    this.#turn.gaveUp = this.#closeAsks() > 0
    this.peer.notify('session/cancel', { sessionId: this.#native })
    await this.#handedOver()
  }

  setMode(mode: string): Promise<void> {
    return this.#modes.set(mode)
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

  /** Rejects where the agent was gone before it had what was sent. */
  async #handedOver(): Promise<void> {
    if (!(await this.#wire.flushed)) throw new Error('The agent ended before it had this.')
  }

  #request(id: RpcId, method: string, params: unknown): boolean {
    if (method === 'session/request_permission') this.#permission(id, params)
    else if (method === 'elicitation/create') this.#elicitation(id, params)
    else return false
    return true
  }

  #permission(id: RpcId, params: unknown): void {
    const parsed = PermissionParams.safeParse(this.#translation?.permission(id, params) ?? params)
    if (!parsed.success || !this.#isOurs(parsed.data.sessionId)) return this.#misread(id, 'permission request')
    if (this.#hearsNoAsk) {
      return this.peer.respond(id, { outcome: { outcome: 'cancelled' } })
    }
    const { toolCall, options } = parsed.data
    this.#updates.breakText()
    const tool = this.#tools.patch(toolCall, 'permission')
    const ask = { ...this.#tools.describe(tool, toolCall), ...this.#asks.open(id, tool.step, options) }
    this.#queue.push({ t: 'ask', ask }, ask.input.length * 2)
  }

  #elicitation(id: RpcId, params: unknown): void {
    const parsed = ElicitationParams.safeParse(params)
    const session = parsed.data?.sessionId
    if (!parsed.success || (session && !this.#isOurs(session))) return this.#misread(id, 'question')
    if (this.#hearsNoAsk) {
      return this.peer.respond(id, { action: 'cancel' })
    }
    this.#updates.breakText()
    const { message: text, requestedSchema: schema } = parsed.data
    this.#queue.push({ t: 'question', question: this.#asks.openQuestion(id), text, schema: schema ?? undefined })
  }

  /** The turn is being interrupted, too much is asked already, or an old conversation is being told again. */
  get #hearsNoAsk(): boolean {
    return this.#turn?.cancelling === true || this.#asks.isFull || this.#replaying
  }

  #misread(id: RpcId, what: string): void {
    this.breaker.count(`${what} that cannot be read`, 'broken')
    this.peer.refuse(id, invalidParams, `This ${what} cannot be read.`)
  }

  #notification(method: string, params: unknown): boolean {
    if (method === 'session/update') {
      const parsed = UpdateParams.safeParse(params)
      if (!parsed.success) this.breaker.count('update that cannot be read', 'broken')
      else if (!this.#isOurs(parsed.data.sessionId)) this.breaker.count('update of another session', 'broken')
      else this.#update(parsed.data.update)
      return true
    }
    if (method !== '$/cancel_request') return false
    const parsed = CancelRequest.safeParse(params)
    const taken = parsed.success ? this.#asks.withdraw(parsed.data.requestId) : undefined
    const reason = this.#turn?.cancelling === true ? 'turn_ended' : 'agent_withdrew'
    if (taken && 'ask' in taken) this.#queue.push({ t: 'ask_closed', ask: taken.ask, reason })
    if (taken && 'question' in taken) this.#queue.push({ t: 'question_closed', question: taken.question, reason })
    return true
  }

  #update(update: { sessionUpdate: string }): void {
    if (this.#translation && update.sessionUpdate === 'state_update') return this.#state(update)
    if (update.sessionUpdate.startsWith('user_message')) this.#steering.repeated(update)
    for (const told of this.#translation?.updates(update) ?? [update]) {
      if (!this.#replaying || isMode(told)) this.#updates.handle(told)
    }
  }

  /** It rests: a turn that it has taken up is over. One that it has not even heard of is not. */
  #state(update: { sessionUpdate: string }): void {
    const outcome = outcomeOf(update)
    if (outcome === undefined) return this.breaker.count('update that cannot be read', 'broken')
    if (!this.#turn) return
    if (outcome === 'at work') this.#turn.begun = true
    else if (this.#turn.begun) this.#turnEnded(this.#turn.turn, outcome)
  }

  /** Its turn goes on, and what comes next has to come from it. In v1 the prompt has an answer, which cannot be lost alone. */
  get #owesWord(): boolean {
    if (!this.#translation || !this.#turn?.begun || this.#turn.cancelling) return false
    return this.#asks.isEmpty && !this.#tools.isAtWork
  }

  #tellSilence(ms: number): void {
    const time = ms < 60_000 ? `${ms / 1_000} seconds` : `${Math.round(ms / 60_000)} minutes`
    const text =
      `The agent has said nothing for ${time}, nor that its turn is over. It may still be thinking, or its last word was lost: ` +
      'from here nobody can tell. Wait, or stop the turn; if it does not answer that either, end the session.\n'
    this.#queue.push({ t: 'output', source: 'log', text, bytes: text.length })
  }

  /** Until its own name is known, a session is taken at its word: it is the only one of this process. */
  #isOurs(sessionId: string): boolean {
    return this.#native === undefined || sessionId === this.#native
  }

  #turnEnded(turn: string, outcome: RpcOutcome): void {
    if (this.#turn?.turn !== turn) return
    const { cancelling, gaveUp } = this.#turn
    this.#turn = undefined
    this.#steering.forget()
    // Its death is told by `exit`, and everything that was open ends with it.
    if (!outcome.ok && outcome.code === connectionClosed) return
    this.#updates.breakText()
    this.#closeAsks()
    const result = outcome.ok ? PromptResult.safeParse(outcome.result) : undefined
    const told = result?.success ? endOf(result.data.stopReason) : cancelling ? 'cancelled' : 'error'
    // Some say that they came to their end when what they had asked was called off.
    const end = told === 'end' && gaveUp ? 'cancelled' : told
    this.#tools.closeAll(end === 'cancelled' ? 'cancelled' : 'ended')
    const took = result?.data?.usage
    if (took?.inputTokens || took?.outputTokens) this.#queue.push({ t: 'usage', ...this.#used.turn(took) })
    const error = outcome.ok
      ? result?.success
        ? undefined
        : 'The agent ended the turn in a way that cannot be read.'
      : outcome.message
    this.#queue.push({ t: 'turn_ended', turn, end, ...(end === 'error' ? { error } : {}) })
  }

  /** Answers how many were open. */
  #closeAsks(): number {
    const { asks, questions } = this.#asks.closeAll()
    for (const ask of asks) this.#queue.push({ t: 'ask_closed', ask, reason: 'turn_ended' })
    for (const question of questions) this.#queue.push({ t: 'question_closed', question, reason: 'turn_ended' })
    return asks.length + questions.length
  }

  #fault(note: string): void {
    if (this.#faulted) return
    this.#faulted = true
    this.#wire.stop()
    this.#queue.push({ t: 'fault', note })
    this.peer.close()
    void this.#held.end(0)
  }

  async #watchExit(): Promise<void> {
    const exit = await this.#held.exited
    await this.#held.end(orphanGraceMs)
    await this.#wire.drained
    this.#silence[Symbol.dispose]()
    this.peer.close()
    const heard = { lines: this.peer.received, unused: Object.fromEntries(this.breaker.counts) }
    this.#queue.push({ t: 'exit', exit, heard })
    this.#queue.end()
  }
}

function endOf(stopReason: string): TurnEnd {
  if (stopReason === 'cancelled') return 'cancelled'
  if (stopReason === 'refusal') return 'refused'
  return stopReason === 'max_tokens' || stopReason === 'max_turn_requests' ? 'limit' : 'end'
}

function isMode(update: { sessionUpdate: string }): boolean {
  return update.sessionUpdate === 'current_mode_update' || update.sessionUpdate === 'config_option_update'
}

function sizeOf(event: AgentEvent): number {
  return event.t === 'text' ? 200 + event.delta.length * 2 : event.t === 'plan' ? 2_000 : JSON.stringify(event).length
}
