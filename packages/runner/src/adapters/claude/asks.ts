import type { Ask, QuestionAnswer, Verdict } from '../adapter.ts'
import type { Control } from './control.ts'
import { permissionsFor, type Reach, reachOf } from './permissions.ts'
import { answersOf, questionForm, questionText } from './questions.ts'
import { type CanUseTool, Questions } from './schema.ts'

/** Asks and questions that may be open at once in one agent; more are turned down at once. */
const openMax = 100

/** Requests that are remembered after their answer, so that the same one is not asked of people a second time. */
const answeredMax = 1_000

interface OpenAsk {
  id: string
  step: string
  input: Readonly<Record<string, unknown>>
  reach: Reach
  /** An input in place of its own may be given. */
  canModify: boolean
}

type OpenQuestion =
  | { id: string; kind: 'tool'; input: Readonly<Record<string, unknown>>; questions: Questions }
  | { id: string; kind: 'elicitation' }

/** What became of an answer: with the step that goes on, and the input that it has now. */
export type Answered =
  | { result: 'applied'; step: string; input: Readonly<Record<string, unknown>> }
  | { result: 'stale' | 'unsupported' }

/** The agent's requests for permission and its questions, while they wait. Their ids are ours; the wire's stay in here. */
export class Asks {
  readonly #control: Pick<Control, 'respond'>
  readonly #id: () => string
  readonly #isFenced: boolean
  readonly #asks = new Map<string, OpenAsk>()
  readonly #questions = new Map<string, OpenQuestion>()
  /** Ids of the wire that were asked. */
  readonly #seen = new Set<string>()

  /** `id` makes ids. */
  constructor(control: Pick<Control, 'respond'>, id: () => string, isFenced: boolean) {
    this.#control = control
    this.#id = id
    this.#isFenced = isFenced
  }

  get isFull(): boolean {
    return this.#asks.size + this.#questions.size >= openMax
  }

  get isEmpty(): boolean {
    return this.#asks.size + this.#questions.size === 0
  }

  /** False where this very request was there before: it is asked once. */
  isNew(id: string): boolean {
    if (this.#seen.has(id)) return false
    this.#seen.add(id)
    if (this.#seen.size > answeredMax) {
      for (const oldest of this.#seen) {
        this.#seen.delete(oldest)
        break
      }
    }
    return true
  }

  open(
    id: string,
    step: string,
    request: CanUseTool,
    how: 'tool' | 'plan',
  ): Pick<Ask, 'ask' | 'verdicts' | 'scopes' | 'strength' | 'lasting'> {
    const ask = this.#id()
    const canModify = how === 'tool'
    const reach: Reach = canModify ? reachOf(request, this.#isFenced) : { scopes: ['once'], rules: [] }
    this.#asks.set(ask, { id, step, input: request.input, reach, canModify })
    return {
      ask,
      verdicts: canModify ? ['allow', 'deny', 'modify'] : ['allow', 'deny'],
      scopes: reach.scopes,
      // Its answer carries the input. Of a plan there is nothing to run.
      strength: how === 'tool' ? 'enforced' : undefined,
      lasting: reach.words,
    }
  }

  /** The form of a question, or undefined where it cannot be read. */
  openQuestion(
    id: string,
    input: Readonly<Record<string, unknown>>,
  ): { question: string; text: string; schema: Record<string, unknown> } | undefined {
    const parsed = Questions.safeParse(input)
    if (!parsed.success) return undefined
    const question = this.#id()
    this.#questions.set(question, { id, kind: 'tool', input, questions: parsed.data })
    return { question, text: questionText(parsed.data), schema: questionForm(parsed.data) }
  }

  /** A question of an MCP server: its form is what it says it is. */
  openElicitation(id: string): string {
    const question = this.#id()
    this.#questions.set(question, { id, kind: 'elicitation' })
    return question
  }

  answer(ask: string, verdict: Verdict): Answered {
    const open = this.#asks.get(ask)
    if (!open) return { result: 'stale' }
    const { id, step, reach } = open
    switch (verdict.verdict) {
      case 'deny':
        this.#asks.delete(ask)
        this.#deny(id, refusalOf(verdict))
        return { result: 'applied', step, input: open.input }
      case 'modify': {
        const input = open.canModify ? objectIn(verdict.input) : undefined
        if (!input) return { result: 'unsupported' }
        this.#asks.delete(ask)
        this.#control.respond(id, { behavior: 'allow', updatedInput: input })
        return { result: 'applied', step, input }
      }
      case 'allow': {
        const { scope } = verdict
        if (!reach.scopes.includes(scope)) return { result: 'unsupported' }
        this.#asks.delete(ask)
        const lasting = scope === 'once' ? {} : { updatedPermissions: permissionsFor(reach, scope) }
        this.#control.respond(id, { behavior: 'allow', updatedInput: open.input, ...lasting })
        return { result: 'applied', step, input: open.input }
      }
    }
  }

  /** No answer, and there will be none. */
  dismiss(ask: string): string | undefined {
    const open = this.#asks.get(ask)
    if (!open) return undefined
    this.#asks.delete(ask)
    this.#deny(open.id, 'Nobody will answer this any more.')
    return open.step
  }

  answerQuestion(question: string, answer: QuestionAnswer): 'applied' | 'stale' {
    const open = this.#questions.get(question)
    if (!open) return 'stale'
    this.#questions.delete(question)
    if (open.kind === 'elicitation') this.#control.respond(open.id, { ...answer })
    else if (answer.action === 'accept') {
      const answers = answersOf(open.questions, answer.content)
      this.#control.respond(open.id, { behavior: 'allow', updatedInput: { ...open.input, answers } })
    } else this.#deny(open.id, answer.action === 'decline' ? 'The person does not want to answer this.' : 'No answer.')
    return 'applied'
  }

  /** The agent takes a request back; answers which one that was. */
  withdraw(id: string): { ask: string } | { question: string } | undefined {
    for (const [ask, open] of this.#asks) {
      if (open.id === id && this.#asks.delete(ask)) return { ask }
    }
    for (const [question, open] of this.#questions) {
      if (open.id === id && this.#questions.delete(question)) return { question }
    }
    return undefined
  }

  /** Forgets everything that is open, and tells the agent; answers what that was. */
  closeAll(): { asks: readonly string[]; questions: readonly string[] } {
    const asks = [...this.#asks.keys()]
    const questions = [...this.#questions.keys()]
    for (const ask of asks) this.dismiss(ask)
    for (const question of questions) this.answerQuestion(question, { action: 'cancel' })
    return { asks, questions }
  }

  /** Turns a request down that nobody was asked. */
  turnDown(id: string, message: string): void {
    this.#deny(id, message)
  }

  #deny(id: string, message: string): void {
    this.#control.respond(id, { behavior: 'deny', message })
  }
}

/** What the model reads in place of a result. */
function refusalOf({ reason, because }: { reason?: string | undefined; because?: string | undefined }): string {
  if (reason === undefined) return 'This was refused.'
  return because === undefined ? `A person refused this and says: ${reason}` : `This was refused. ${reason}`
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
