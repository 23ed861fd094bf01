import type { Ask, QuestionAnswer, Verdict } from '../adapter.ts'
import type { Peer, RpcId } from '../wire/peer.ts'
import type { AskedQuestion } from './questions.ts'

/** Asks and questions that may be open at once in one agent; more are turned down at once. */
const openMax = 100

/** How far a yes reaches that is given here. */
type Reach = 'once' | 'session'

/** What answers a request of codex: each request has answers of its own shape. */
export interface AskAnswers {
  allow: (reach: Reach) => unknown
  /** The turn goes on. */
  deny: unknown
  /** The person stopped the turn. */
  stop: unknown
}

/** A request that waits. */
export interface OpenAsk {
  id: RpcId
  step: string
  title: string
  /** How far a yes may reach; none where what is asked cannot be shown. */
  scopes: readonly Reach[]
  answers: AskAnswers
  /** The turn of codex that asks, and its thread: that of an agent that codex has started may not be ours. */
  from: { thread: string; turn: string | undefined }
}

/** An answer that can be given: what it is about, and what gives it. */
export interface AskAnswer extends Pick<OpenAsk, 'step' | 'title' | 'from'> {
  send: () => void
}

/** Codex's requests for permission and its questions, while they wait. Their ids are ours; the wire's stay in here. */
export class Asks {
  readonly #peer: Pick<Peer, 'respond'>
  readonly #id: () => string
  readonly #asks = new Map<string, OpenAsk>()
  readonly #questions = new Map<string, { id: RpcId; asked: AskedQuestion }>()

  /** `id` makes ids. */
  constructor(peer: Pick<Peer, 'respond'>, id: () => string) {
    this.#peer = peer
    this.#id = id
  }

  get isFull(): boolean {
    return this.#asks.size + this.#questions.size >= openMax
  }

  /** True where a request of this id waits already: an answer could not say which of them it means. */
  waits(id: RpcId): boolean {
    return [...this.#asks.values(), ...this.#questions.values()].some((open) => open.id === id)
  }

  open(open: OpenAsk): Pick<Ask, 'ask' | 'verdicts' | 'scopes'> {
    const { scopes } = open
    const ask = this.#id()
    this.#asks.set(ask, open)
    return { ask, scopes, verdicts: scopes.length > 0 ? ['allow', 'deny'] : ['deny'] }
  }

  openQuestion(id: RpcId, asked: AskedQuestion): string {
    const question = this.#id()
    this.#questions.set(question, { id, asked })
    return question
  }

  /** Takes the ask out where it can be answered so; whoever has the answer sends it. */
  answer(ask: string, verdict: Verdict): AskAnswer | 'stale' | 'unsupported' {
    const open = this.#asks.get(ask)
    if (!open) return 'stale'
    const { id, step, title, scopes, answers, from } = open
    const scope = verdict.verdict === 'allow' ? scopes.find((one) => one === verdict.scope) : undefined
    if (verdict.verdict === 'modify' || (verdict.verdict === 'allow' && scope === undefined)) return 'unsupported'
    this.#asks.delete(ask)
    const result = scope === undefined ? answers.deny : answers.allow(scope)
    return { step, title, from, send: () => this.#peer.respond(id, result) }
  }

  /** No answer, and there will be none: for codex that is a no, so that its turn goes on. Answers the step. */
  dismiss(ask: string): string | undefined {
    const open = this.#asks.get(ask)
    if (!open) return undefined
    this.#asks.delete(ask)
    this.#peer.respond(open.id, open.answers.deny)
    return open.step
  }

  answerQuestion(question: string, answer: QuestionAnswer): 'applied' | 'stale' {
    const open = this.#questions.get(question)
    if (!open) return 'stale'
    this.#questions.delete(question)
    this.#peer.respond(open.id, open.asked.answer(answer))
    return 'applied'
  }

  /** Codex no longer waits for an answer to a request; answers which one that was. */
  resolved(id: RpcId): { ask: string; step: string } | { question: string } | undefined {
    for (const [ask, open] of this.#asks) {
      if (open.id !== id) continue
      this.#asks.delete(ask)
      return { ask, step: open.step }
    }
    for (const [question, open] of this.#questions) {
      if (open.id !== id) continue
      this.#questions.delete(question)
      return { question }
    }
    return undefined
  }

  /** Tells codex that nothing of what is open will be answered; answers what that was. */
  closeAll(): { asks: readonly string[]; questions: readonly string[] } {
    const asks = [...this.#asks]
    const questions = [...this.#questions.keys()]
    this.#asks.clear()
    for (const [, { id, answers }] of asks) this.#peer.respond(id, answers.stop)
    for (const question of questions) this.answerQuestion(question, { action: 'cancel' })
    return { asks: asks.map(([ask]) => ask), questions }
  }
}
