import type { EventOf } from '@hotline/protocol/events'
import type { AgentEvent, AgentSession } from '../adapters/adapter.ts'
import { reportOf } from './report-of.ts'
import type { Reporter } from './reporter.ts'

/** Characters of the form of a question; a larger one could not be shown. */
const schemaChars = 32 * 1024

/** The questions of an agent that wait for a person. */
export class Questions {
  readonly #agent: Pick<AgentSession, 'answerQuestion'>
  readonly #reporter: Reporter
  /** Those that the agent waits for. */
  readonly #open = new Set<string>()

  constructor(agent: Pick<AgentSession, 'answerQuestion'>, reporter: Reporter) {
    this.#agent = agent
    this.#reporter = reporter
  }

  /** The agent waits for an answer to it. */
  knows(question: string): boolean {
    return this.#open.has(question)
  }

  /** The agent asks. */
  async ask(event: Extract<AgentEvent, { t: 'question' }>, turn: string | undefined): Promise<void> {
    this.#open.add(event.question)
    const canBeShown = JSON.stringify(event.schema ?? {}).length <= schemaChars
    const fate = canBeShown ? await this.#reporter.ask(reportOf(event, turn)) : undefined
    // What nobody will see, nobody can answer.
    if (fate !== 'kept' && fate !== 'lost' && fate !== 'told')
      await this.#agent.answerQuestion(event.question, { action: 'cancel' })
  }

  /** The agent no longer waits for it. */
  close(question: string): void {
    this.#open.delete(question)
  }

  /** A person has answered it. */
  async answered({ data, body }: EventOf<'question.answered'>): Promise<void> {
    const { question, action } = data
    this.close(question)
    const answer = action === 'accept' ? { action, content: body?.content ?? {} } : { action }
    await this.#agent.answerQuestion(question, answer)
  }
}
