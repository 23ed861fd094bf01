import type { Capabilities } from '@hotline/protocol/capabilities'
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
import { UsedSoFar } from '../used-so-far.ts'
import { Breaker } from '../wire/breaker.ts'
import { Ids } from '../wire/ids.ts'
import { Peer } from '../wire/peer.ts'
import { type Tee, Wire } from '../wire/wire.ts'
import { ModeKeeper } from './mode-keeper.ts'
import { News } from './news.ts'
import { RequestDesk } from './request-desk.ts'
import type { OpenedThread } from './schema.ts'
import { Steps } from './steps.ts'
import { Texts } from './texts.ts'
import { Turns } from './turns.ts'

/** Bytes of events that may wait for the session before the agent is no longer read. */
const queueBytes = 1024 * 1024

/** Bytes of one line: at its end a command says all that it printed, up to 1 MiB, of which each byte may become six. */
const lineBytes = 8 * 1024 * 1024

/** An agent that died may have left children; they get so long for their last words. */
const orphanGraceMs = 500

/** One codex, by its app-server: JSON lines over stdin and stdout. Its thread is our session. */
export class CodexSession implements AgentSession {
  readonly peer: Peer
  readonly modes: ModeKeeper
  readonly capabilities: Capabilities = {
    input: 'turns',
    steer: true,
    interrupt: true,
    pause: 'signal',
    resume: true,
    verdicts: ['allow', 'deny'],
    denyReason: true,
    questions: true,
    screen: false,
  }
  readonly #held: HeldProcess
  readonly #queue = new EventQueue<AgentEvent>(queueBytes)
  readonly #breaker: Breaker
  readonly #wire: Wire
  readonly #desk: RequestDesk
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
    this.#native = spec.resume
    const emit = (event: AgentEvent): void => this.#queue.push(event, sizeOf(event))
    const fault = (note: string): void => this.#fault(note)
    const thread = (): string | undefined => this.#thread
    const ids = new Ids(spec.seed)
    const breaker = (this.#breaker = new Breaker(fault, held))
    this.peer = new Peer(
      (line) => this.#wire.send(line),
      {
        request: (id, method, params) => this.#desk.take(id, method, params),
        notification: (method, params) => this.#notification(method, params),
      },
      breaker,
      ids.next(),
    )
    const { peer } = this
    this.#wire = new Wire(held, this.#queue, breaker, tee, (line) => peer.receive(line), ids, lineBytes)
    this.#steps = new Steps(emit, spec.cwd, () => this.#turns.current, ids.next)
    this.#texts = new Texts(emit, ids.next)
    this.modes = new ModeKeeper({ peer, asking: spec.asking, breaker, thread, emit, fault })
    this.#turns = new Turns({
      peer,
      breaker,
      steps: this.#steps,
      thread,
      emit,
      onEnd: () => {
        this.#texts.forget()
        this.#desk.closeAll()
      },
    })
    this.#desk = new RequestDesk({ peer, breaker, steps: this.#steps, turns: this.#turns, spec, emit, id: ids.next })
    this.#news = new News({
      emit,
      isOurs: (id) => id === this.#thread,
      diff: (turn, patch) => this.#turns.diff(turn, patch),
      steps: this.#steps,
      texts: this.#texts,
      modes: this.modes,
      breaker,
      used: new UsedSoFar(spec),
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

  get tree(): HeldTree {
    return this.#held
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

  async prompt(turn: string, text: string, _message?: string, pictures: readonly Picture[] = []): Promise<void> {
    this.#turns.begin(turn, text, pictures)
    await this.#handedOver()
  }

  steer(said: Said): Promise<boolean> {
    return this.#turns.say(said)
  }

  async answer(ask: string, verdict: Verdict): Promise<AnswerResult> {
    const result = await this.#desk.answer(ask, verdict)
    await this.#handedOver()
    return result
  }

  async dismiss(ask: string): Promise<void> {
    this.#desk.dismiss(ask)
    await this.#handedOver()
  }

  async answerQuestion(question: string, answer: QuestionAnswer): Promise<'applied' | 'stale'> {
    const result = this.#desk.answerQuestion(question, answer)
    await this.#handedOver()
    return result
  }

  async interrupt(): Promise<void> {
    if (this.#turns.current === undefined) return
    this.#turns.stop()
    this.#desk.closeAll()
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

  #notification(method: string, params: unknown): boolean {
    if (method === 'turn/started' || method === 'turn/completed') this.#turnNews(method, params)
    else if (method === 'serverRequest/resolved') this.#desk.resolved(params)
    else return this.#news.handle(method, params)
    return true
  }

  #turnNews(method: 'turn/started' | 'turn/completed', params: unknown): void {
    this.#turns.news(method, params)
    if (this.#native !== undefined || this.#turns.current === undefined) return
    this.#native = this.#thread
    this.#queue.push({ t: 'profile', native: this.#native })
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

function sizeOf(event: AgentEvent): number {
  if (event.t === 'text') return 200 + event.delta.length * 2
  if (event.t === 'step_progressed') return 300 + (event.output?.length ?? 0) + (event.changes ? 4_000 : 0)
  return event.t === 'plan' ? 2_000 : JSON.stringify(event).length
}
