import type { z } from 'zod'
import type { Capabilities } from '@hotline/protocol/capabilities'
import type { HeldProcess } from '../../process/holder.ts'
import type {
  AgentEvent,
  AgentFacts,
  AgentSession,
  AnswerResult,
  QuestionAnswer,
  StartSpec,
  Verdict,
} from '../adapter.ts'
import { EventQueue } from '../event-queue.ts'
import { Breaker } from '../wire/breaker.ts'
import { Peer, type RpcId } from '../wire/peer.ts'
import { type Tee, Wire } from '../wire/wire.ts'
import { Asks } from './asks.ts'
import { ModeKeeper } from './mode-keeper.ts'
import { News } from './news.ts'
import { type AskedQuestion, declinedElicitation, elicitation, userInput } from './questions.ts'
import { type Asked, askedCommand, askedPatch, askedPermissions } from './requests.ts'
import {
  CommandApproval,
  Elicitation,
  FileApproval,
  type OpenedThread,
  PermissionsApproval,
  RequestResolved,
  UserInputRequest,
} from './schema.ts'
import { Steps } from './steps.ts'
import { Texts } from './texts.ts'
import { Turns } from './turns.ts'

/** Bytes of events that may wait for the session before the agent is no longer read. */
const queueBytes = 1024 * 1024

/** Bytes of one line: at its end a command says all that it printed, up to 1 MiB, of which each byte may become six. */
const lineBytes = 8 * 1024 * 1024

/** An agent that died may have left children; they get so long for their last words. */
const orphanGraceMs = 500

const invalidParams = -32_602

/** One codex, by its app-server: JSON lines over stdin and stdout. Its thread is our session. */
export class CodexSession implements AgentSession {
  readonly peer: Peer
  readonly modes: ModeKeeper
  readonly capabilities: Capabilities = {
    input: 'turns',
    interrupt: true,
    pause: 'none',
    resume: true,
    verdicts: ['allow', 'deny'],
    denyReason: true,
    questions: true,
    screen: false,
  }
  readonly #held: HeldProcess
  readonly #spec: StartSpec
  readonly #queue = new EventQueue<AgentEvent>(queueBytes)
  readonly #breaker: Breaker
  readonly #wire: Wire
  readonly #asks: Asks
  readonly #steps: Steps
  readonly #texts: Texts
  readonly #turns: Turns
  readonly #news: News
  #thread: string | undefined
  /** A thread can be taken up again once something was said in it: before that codex keeps nothing of it. */
  #native: string | undefined
  #isFaulted = false

  constructor(held: HeldProcess, spec: StartSpec, tee: Tee | undefined) {
    this.#held = held
    this.#spec = spec
    this.#native = spec.resume
    const emit = (event: AgentEvent): void => this.#queue.push(event, sizeOf(event))
    const fault = (note: string): void => this.#fault(note)
    const thread = (): string | undefined => this.#thread
    const breaker = (this.#breaker = new Breaker(fault))
    this.peer = new Peer(
      (line) => this.#wire.send(line),
      {
        request: (id, method, params) => this.#request(id, method, params),
        notification: (method, params) => this.#notification(method, params),
      },
      breaker,
    )
    const { peer } = this
    this.#wire = new Wire(held, this.#queue, breaker, tee, (line) => peer.receive(line), lineBytes)
    this.#asks = new Asks(peer)
    this.#steps = new Steps(emit, () => this.#turns.current)
    this.#texts = new Texts(emit)
    this.modes = new ModeKeeper({ peer, asking: spec.asking, breaker, thread, emit, fault })
    this.#turns = new Turns({
      peer,
      breaker,
      steps: this.#steps,
      thread,
      emit,
      onEnd: () => {
        this.#texts.forget()
        this.#closeAsks()
      },
    })
    this.#news = new News({
      emit,
      isOurs: (id) => id === this.#thread,
      diff: (turn, patch) => this.#turns.diff(turn, patch),
      steps: this.#steps,
      texts: this.#texts,
      modes: this.modes,
      breaker,
      judged: () => fault('The agent lets a model answer in place of a person.'),
    })
    void this.#watchExit()
  }

  get pid(): number {
    return this.#held.pid
  }

  get startedAt(): string {
    return this.#held.startedAt
  }

  get facts(): AgentFacts {
    return { ...this.modes.facts, native: this.#native }
  }

  /** The last of what it said on stderr, for the person who wonders why it did not start. */
  get lastWords(): string {
    return this.#wire.stderrTail
  }

  events(): AsyncIterable<AgentEvent> {
    return this.#queue
  }

  /** Takes the answer of thread/start or thread/resume. Throws a StartError where codex does not ask as it was told to. */
  settle(opened: OpenedThread): void {
    this.#thread = opened.thread.id
    this.modes.verify(opened)
  }

  async prompt(turn: string, text: string): Promise<void> {
    this.#turns.begin(turn, text)
    await this.#handedOver()
  }

  async answer(ask: string, verdict: Verdict): Promise<AnswerResult> {
    const answer = this.#asks.answer(ask, verdict)
    if (typeof answer === 'string') return answer
    let result: AnswerResult = 'applied'
    if (verdict.verdict === 'deny') {
      this.#steps.deny(answer.step)
      // First the reason: then the model reads it with the refusal, and not a step later.
      if (verdict.reason !== undefined && !(await this.#turns.steer(refusal(answer.title, verdict.reason)))) {
        result = 'reason_unheard'
      }
    }
    answer.send()
    this.#answered(answer.step, verdict.verdict === 'deny' ? 'denied' : 'done')
    await this.#handedOver()
    return result
  }

  async dismiss(ask: string): Promise<void> {
    const step = this.#asks.dismiss(ask)
    if (step !== undefined) this.#answered(step, 'cancelled')
    await this.#handedOver()
  }

  async answerQuestion(question: string, answer: QuestionAnswer): Promise<'applied' | 'stale'> {
    const result = this.#asks.answerQuestion(question, answer)
    await this.#handedOver()
    return result
  }

  async interrupt(): Promise<void> {
    if (this.#turns.current === undefined) return
    this.#turns.stop()
    this.#closeAsks()
    await this.#handedOver()
  }

  setMode(mode: string): Promise<void> {
    // It would hold from the next turn on, and be shown as if it held now.
    if (this.#turns.current !== undefined) {
      return Promise.reject(
        new Error('This agent takes another mode between its turns. Wait for it, or stop it first.'),
      )
    }
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

  /** Rejects where the agent was gone before it had what was sent. */
  async #handedOver(): Promise<void> {
    if (!(await this.#wire.flushed)) throw new Error('The agent ended before it had this.')
  }

  /** Each request gets an answer, or the turn waits for ever: what is not known here is refused by the peer. */
  #request(id: RpcId, method: string, params: unknown): boolean {
    switch (method) {
      case 'item/commandExecution/requestApproval':
        this.#ask(id, CommandApproval, params, (request) => askedCommand(request, this.#spec.cwd))
        return true
      case 'item/fileChange/requestApproval':
        this.#ask(id, FileApproval, params, (request) =>
          askedPatch(request, this.#steps.known(request.itemId)?.changes ?? []),
        )
        return true
      case 'item/permissions/requestApproval':
        this.#ask(id, PermissionsApproval, params, askedPermissions, 'answer')
        return true
      case 'item/tool/requestUserInput':
        this.#question(id, UserInputRequest, params, ({ questions }) => userInput(questions), { answers: {} })
        return true
      case 'mcpServer/elicitation/request':
        this.#question(id, Elicitation, params, elicitation, declinedElicitation)
        return true
      default:
        return false
    }
  }

  #ask<T extends z.ZodType<{ itemId: string }>>(
    id: RpcId,
    schema: T,
    params: unknown,
    read: (request: z.output<T>) => Asked,
    endedBy: 'item' | 'answer' = 'item',
  ): void {
    const parsed = schema.safeParse(params)
    if (!parsed.success || this.#asks.waits(id)) return this.#misread(id, 'request')
    const { shown, scopes, answers } = read(parsed.data)
    if (this.#hearsNoAsk) return this.peer.respond(id, this.#turns.isStopping ? answers.stop : answers.deny)
    const { itemId } = parsed.data
    const kind = shown.tool === 'apply_patch' ? 'edit' : endedBy === 'answer' ? 'other' : 'execute'
    const step = this.#steps.asked(itemId, { kind, title: shown.title, input: shown.input }, endedBy)
    const reaches = scopes.filter((scope) => scope === 'once' || scope === this.#spec.allowAlways)
    const opened = this.#asks.open(id, step.step, shown.title, reaches, answers)
    this.#queue.push({ t: 'ask', ask: { ...shown, step: step.step, ...opened } }, 1_000 + shown.input.length * 4)
  }

  #question<T extends z.ZodType>(
    id: RpcId,
    schema: T,
    params: unknown,
    read: (request: z.output<T>) => AskedQuestion | undefined,
    declined: unknown,
  ): void {
    const parsed = schema.safeParse(params)
    if (!parsed.success || this.#asks.waits(id)) return this.#misread(id, 'question')
    const asked = read(parsed.data)
    if (this.#hearsNoAsk || !asked) {
      if (!asked) this.#tell('The agent asked for something that cannot be answered here; it was told no.\n')
      return this.peer.respond(id, declined)
    }
    const { text, schema: form } = asked
    this.#queue.push({ t: 'question', question: this.#asks.openQuestion(id, asked), text, schema: form })
  }

  /** The turn is being stopped, or too much is asked already. */
  get #hearsNoAsk(): boolean {
    return this.#turns.isStopping || this.#asks.isFull
  }

  #misread(id: RpcId, what: string): void {
    this.#breaker.count(`${what} that cannot be read`, 'broken')
    this.peer.refuse(id, invalidParams, `This ${what} cannot be read.`)
  }

  #notification(method: string, params: unknown): boolean {
    if (method === 'turn/started' || method === 'turn/completed') this.#turnNews(method, params)
    else if (method === 'serverRequest/resolved') this.#resolved(params)
    else return this.#news.handle(method, params)
    return true
  }

  #turnNews(method: 'turn/started' | 'turn/completed', params: unknown): void {
    this.#turns.news(method, params)
    if (this.#native !== undefined || this.#turns.current === undefined) return
    this.#native = this.#thread
    this.#queue.push({ t: 'profile', native: this.#native })
  }

  /** After an answer of ours there is nothing left to close; before it, codex has taken its request back. */
  #resolved(params: unknown): void {
    const parsed = RequestResolved.safeParse(params)
    if (!parsed.success) return this.#breaker.count('notification that cannot be read', 'broken')
    const taken = this.#asks.resolved(parsed.data.requestId)
    if (!taken) return
    const reason = this.#turns.isStopping ? 'turn_ended' : 'agent_withdrew'
    if ('question' in taken) this.#queue.push({ t: 'question_closed', question: taken.question, reason })
    else {
      this.#queue.push({ t: 'ask_closed', ask: taken.ask, reason })
      this.#answered(taken.step, 'cancelled')
    }
  }

  #answered(step: string, outcome: 'done' | 'denied' | 'cancelled'): void {
    this.#steps.answered(step, outcome)
  }

  #closeAsks(): void {
    const { asks, questions } = this.#asks.closeAll()
    for (const ask of asks) this.#queue.push({ t: 'ask_closed', ask, reason: 'turn_ended' })
    for (const question of questions) this.#queue.push({ t: 'question_closed', question, reason: 'turn_ended' })
  }

  #tell(text: string): void {
    this.#queue.push({ t: 'output', source: 'log', text, bytes: text.length })
  }

  #fault(note: string): void {
    if (this.#isFaulted) return
    this.#isFaulted = true
    this.#wire.stop()
    this.#queue.push({ t: 'fault', note })
    this.peer.close()
    void this.#held.end(0)
  }

  async #watchExit(): Promise<void> {
    const exit = await this.#held.exited
    await this.#held.end(orphanGraceMs)
    await this.#wire.drained
    this.peer.close()
    const heard = { lines: this.peer.received, unused: Object.fromEntries(this.#breaker.counts) }
    this.#queue.push({ t: 'exit', exit, heard })
    this.#queue.end()
  }
}

function refusal(title: string, reason: string): string {
  return `[Hotline] "${title}" was refused. The person says: ${reason}`
}

function sizeOf(event: AgentEvent): number {
  if (event.t === 'text') return 200 + event.delta.length * 2
  if (event.t === 'step_progressed') return 300 + (event.output?.length ?? 0) + (event.changes ? 4_000 : 0)
  return event.t === 'plan' ? 2_000 : JSON.stringify(event).length
}
