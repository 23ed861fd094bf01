import type { z } from 'zod'
import type { AgentEvent, AnswerResult, QuestionAnswer, StartSpec, Verdict } from '../adapter.ts'
import type { Breaker } from '../wire/breaker.ts'
import type { Peer, RpcId } from '../wire/peer.ts'
import { Asks } from './asks.ts'
import { type AskedQuestion, declinedElicitation, elicitation, userInput } from './questions.ts'
import { type Asked, askedCommand, askedPatch, askedPermissions } from './requests.ts'
import {
  CommandApproval,
  Elicitation,
  FileApproval,
  PermissionsApproval,
  RequestResolved,
  UserInputRequest,
} from './schema.ts'
import type { Steps } from './steps.ts'
import type { Turns } from './turns.ts'

const invalidParams = -32_602

/** What the desk works with. */
export interface DeskPorts {
  peer: Pick<Peer, 'respond' | 'refuse'>
  breaker: Breaker
  steps: Steps
  turns: Pick<Turns, 'isStopping' | 'steer'>
  spec: Pick<StartSpec, 'cwd' | 'allowAlways'>
  emit: (event: AgentEvent) => void
  /** Makes ids. */
  id: () => string
}

/**
 * Where requests of codex come in and answers go out. Each request gets one answer, or the turn would wait for ever: of
 * people, where it can be put to them; otherwise at once.
 */
export class RequestDesk {
  readonly #ports: DeskPorts
  readonly #asks: Asks

  constructor(ports: DeskPorts) {
    this.#ports = ports
    this.#asks = new Asks(ports.peer, ports.id)
  }

  /** Answers false where the method is not known: then the peer refuses it. */
  take(id: RpcId, method: string, params: unknown): boolean {
    switch (method) {
      case 'item/commandExecution/requestApproval':
        this.#ask(id, CommandApproval, params, (request) => askedCommand(request, this.#ports.spec.cwd))
        return true
      case 'item/fileChange/requestApproval':
        this.#ask(id, FileApproval, params, (request) =>
          askedPatch(request, this.#ports.steps.known(request.itemId)?.changes ?? [], this.#ports.spec.cwd),
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

  #ask<T extends z.ZodType<{ threadId: string; turnId?: string | null | undefined; itemId: string }>>(
    id: RpcId,
    schema: T,
    params: unknown,
    read: (request: z.output<T>) => Asked,
    endedBy: 'item' | 'answer' = 'item',
  ): void {
    const parsed = schema.safeParse(params)
    if (this.#asks.waits(id)) return this.#ports.breaker.count('second request of one id', 'broken')
    if (!parsed.success) return this.#misread(id, 'request')
    const { shown, scopes, answers } = read(parsed.data)
    if (this.#hearsNoAsk)
      return this.#ports.peer.respond(id, this.#ports.turns.isStopping ? answers.stop : answers.deny)
    const { itemId, threadId: thread, turnId } = parsed.data
    const kind = shown.tool === 'apply_patch' ? 'edit' : endedBy === 'answer' ? 'other' : 'execute'
    const step = this.#ports.steps.asked(itemId, { kind, title: shown.title, input: shown.input }, endedBy)
    const reaches = scopes.filter((scope) => scope === 'once' || scope === this.#ports.spec.allowAlways)
    const opened = this.#asks.open({
      id,
      step: step.step,
      title: shown.title,
      scopes: reaches,
      answers,
      from: { thread, turn: turnId ?? undefined },
    })
    this.#ports.emit({ t: 'ask', ask: { ...shown, step: step.step, ...opened } })
  }

  #question<T extends z.ZodType>(
    id: RpcId,
    schema: T,
    params: unknown,
    read: (request: z.output<T>) => AskedQuestion | undefined,
    declined: unknown,
  ): void {
    const parsed = schema.safeParse(params)
    if (this.#asks.waits(id)) return this.#ports.breaker.count('second request of one id', 'broken')
    if (!parsed.success) return this.#misread(id, 'question')
    const asked = read(parsed.data)
    if (this.#hearsNoAsk || !asked) {
      if (!asked) this.#tell('The agent asked for something that cannot be answered here; it was told no.\n')
      return this.#ports.peer.respond(id, declined)
    }
    const { text, schema: form } = asked
    this.#ports.emit({ t: 'question', question: this.#asks.openQuestion(id, asked), text, schema: form })
  }

  /** The turn is being stopped, or too much is asked already. */
  get #hearsNoAsk(): boolean {
    return this.#ports.turns.isStopping || this.#asks.isFull
  }

  #misread(id: RpcId, what: string): void {
    this.#ports.breaker.count(`${what} that cannot be read`, 'broken')
    this.#ports.peer.refuse(id, invalidParams, `This ${what} cannot be read.`)
  }

  async answer(ask: string, verdict: Verdict): Promise<AnswerResult> {
    const answer = this.#asks.answer(ask, verdict)
    if (typeof answer === 'string') return answer
    const { steps, turns } = this.#ports
    const isNo = verdict.verdict === 'deny'
    if (isNo) steps.deny(answer.step)
    let isHeard = true
    if (verdict.reason !== undefined) {
      // First the reason: then the model reads it with the answer, and not a step later.
      const isByNobody = verdict.verdict === 'deny' && verdict.because !== undefined
      const why = isByNobody ? verdict.reason : `The person says: ${verdict.reason}`
      const told = `[Hotline] "${answer.title}" was ${isNo ? 'refused' : 'allowed'}. ${why}`
      isHeard = await turns.steer(told, answer.from)
    }
    answer.send()
    steps.answered(answer.step, isNo ? 'denied' : 'done')
    return isHeard ? 'applied' : 'reason_unheard'
  }

  dismiss(ask: string): void {
    const step = this.#asks.dismiss(ask)
    if (step !== undefined) this.#ports.steps.answered(step, 'cancelled')
  }

  answerQuestion(question: string, answer: QuestionAnswer): 'applied' | 'stale' {
    return this.#asks.answerQuestion(question, answer)
  }

  /** After an answer of ours there is nothing left to close; before it, codex has taken its request back. */
  resolved(params: unknown): void {
    const parsed = RequestResolved.safeParse(params)
    if (!parsed.success) return this.#ports.breaker.count('notification that cannot be read', 'broken')
    const taken = this.#asks.resolved(parsed.data.requestId)
    if (!taken) return
    const reason = this.#ports.turns.isStopping ? 'turn_ended' : 'agent_withdrew'
    if ('question' in taken) this.#ports.emit({ t: 'question_closed', question: taken.question, reason })
    else {
      this.#ports.emit({ t: 'ask_closed', ask: taken.ask, reason })
      this.#ports.steps.answered(taken.step, 'cancelled')
    }
  }

  /** Nothing of what is open will be answered. */
  closeAll(): void {
    const { asks, questions } = this.#asks.closeAll()
    for (const ask of asks) this.#ports.emit({ t: 'ask_closed', ask, reason: 'turn_ended' })
    for (const question of questions) this.#ports.emit({ t: 'question_closed', question, reason: 'turn_ended' })
  }

  #tell(text: string): void {
    this.#ports.emit({ t: 'output', source: 'log', text, bytes: text.length })
  }
}
