import type { Ask, QuestionAnswer, Verdict } from '../adapter.ts'
import type { Peer, RpcId } from '../wire/peer.ts'
import type { PermissionParams } from './schema.ts'

/** Code of a request that its sender took back. */
const requestCancelled = -32_800

/** Asks and questions that may be open at once in one agent; more are turned down at once. */
const openMax = 100

type Options = PermissionParams['options']
type OpenAsk = { id: RpcId; step: string; options: Options }

/** The agent's requests for permission and its questions, while they wait. Their ids are ours; the wire's stay in here. */
export class Asks {
  readonly #peer: Pick<Peer, 'respond' | 'refuse'>
  readonly #allowAlways: 'session' | 'project' | undefined
  readonly #id: () => string
  readonly #asks = new Map<string, OpenAsk>()
  readonly #questions = new Map<string, RpcId>()

  /** `id` makes ids. */
  constructor(
    peer: Pick<Peer, 'respond' | 'refuse'>,
    allowAlways: 'session' | 'project' | undefined,
    id: () => string,
  ) {
    this.#peer = peer
    this.#id = id
    this.#allowAlways = allowAlways
  }

  get isEmpty(): boolean {
    return this.#asks.size + this.#questions.size === 0
  }

  get isFull(): boolean {
    return this.#asks.size + this.#questions.size >= openMax
  }

  open(id: RpcId, step: string, options: Options): Pick<Ask, 'ask' | 'verdicts' | 'scopes'> {
    const ask = this.#id()
    this.#asks.set(ask, { id, step, options })
    const scopes: Ask['scopes'][number][] = []
    if (pick(options, 'allow_once')) scopes.push('once')
    if (this.#allowAlways && pick(options, 'allow_always')) scopes.push(this.#allowAlways)
    return { ask, scopes, verdicts: scopes.length > 0 ? ['allow', 'deny'] : ['deny'] }
  }

  openQuestion(id: RpcId): string {
    const question = this.#id()
    this.#questions.set(question, id)
    return question
  }

  /** Chooses by kind, never by id; an answer that goes further than what a person said is never chosen. */
  answer(ask: string, verdict: Verdict): { result: 'applied'; step: string } | { result: 'stale' | 'unsupported' } {
    const open = this.#asks.get(ask)
    if (!open) return { result: 'stale' }
    if (verdict.verdict === 'modify') return { result: 'unsupported' }
    const { id, step, options } = open
    if (verdict.verdict === 'deny') {
      this.#asks.delete(ask)
      const option = pick(options, 'reject_once') ?? pick(options, 'reject_always')
      this.#peer.respond(id, { outcome: option ? { outcome: 'selected', optionId: option } : cancelled })
      return { result: 'applied', step }
    }
    const option = verdict.scope === 'once' ? pick(options, 'allow_once') : this.#always(verdict.scope, options)
    if (option === undefined) return { result: 'unsupported' }
    this.#asks.delete(ask)
    this.#peer.respond(id, { outcome: { outcome: 'selected', optionId: option } })
    return { result: 'applied', step }
  }

  /** No answer, and there will be none. */
  dismiss(ask: string): void {
    const open = this.#asks.get(ask)
    if (!open) return
    this.#asks.delete(ask)
    this.#peer.respond(open.id, { outcome: cancelled })
  }

  answerQuestion(question: string, answer: QuestionAnswer): 'applied' | 'stale' {
    const id = this.#questions.get(question)
    if (id === undefined) return 'stale'
    this.#questions.delete(question)
    this.#peer.respond(id, answer)
    return 'applied'
  }

  /** The agent takes a request back; answers which one that was. */
  withdraw(id: RpcId): { ask: string } | { question: string } | undefined {
    for (const [ask, open] of this.#asks) {
      if (open.id !== id) continue
      this.#asks.delete(ask)
      this.#peer.refuse(id, requestCancelled, 'Taken back.')
      return { ask }
    }
    for (const [question, open] of this.#questions) {
      if (open !== id) continue
      this.#questions.delete(question)
      this.#peer.refuse(id, requestCancelled, 'Taken back.')
      return { question }
    }
    return undefined
  }

  /** Answers everything that is open with "cancelled"; answers what that was. */
  closeAll(): { asks: readonly string[]; questions: readonly string[] } {
    const asks = [...this.#asks.keys()]
    const questions = [...this.#questions.keys()]
    for (const ask of asks) this.dismiss(ask)
    for (const question of questions) this.answerQuestion(question, { action: 'cancel' })
    return { asks, questions }
  }

  #always(scope: 'session' | 'project', options: Options): string | undefined {
    return scope === this.#allowAlways ? pick(options, 'allow_always') : undefined
  }
}

const cancelled = { outcome: 'cancelled' } as const

function pick(options: Options, kind: string): string | undefined {
  return options.find((option) => option.kind === kind)?.optionId
}
