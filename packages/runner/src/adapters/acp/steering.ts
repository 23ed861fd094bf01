import type { AgentEvent } from '../adapter.ts'
import { connectionClosed, type Peer, type RpcOutcome } from '../wire/peer.ts'
import { SteeringResult, UserMessage } from './schema.ts'

/** What is said into a turn is answered at once; after this nobody can say whether it was heard. */
const answerTimeoutMs = 10_000

/** What saying something into a turn works with. */
export interface SteeringPorts {
  peer: Pick<Peer, 'call'>
  native: () => string | undefined
  emit: (event: AgentEvent) => void
}

/**
 * Messages into a turn that runs, by the extension `_session/steering`, which some agents offer. An agent that has nothing
 * running any more has to say so, and to begin nothing by itself: a turn that nobody here knows of would be nobody's.
 */
export class Steering {
  readonly #ports: SteeringPorts
  /** What was said into the turn, by its text: an agent that tells that it has it repeats that, under a name of its own. */
  #said: { message: string; text: string }[] = []

  constructor(ports: SteeringPorts) {
    this.#ports = ports
  }

  /** False where the agent did not hear it; rejects where it does not say. */
  async say(message: string, text: string, pictures: readonly unknown[]): Promise<boolean> {
    const said = { message, text }
    this.#said.push(said)
    const outcome = await this.#call([{ type: 'text', text }, ...pictures])
    const became = outcome?.ok ? SteeringResult.safeParse(outcome.result).data?.outcome : undefined
    if (became === 'injected') return true
    this.#said = this.#said.filter((one) => one !== said)
    const isRefused = outcome?.ok === false && outcome.code !== connectionClosed
    if (isRefused || became === 'promptRequired') return false
    throw new Error('The agent does not say whether it has this.')
  }

  /** The agent repeats a message of a person: one that was said into the turn is with its model now. */
  repeated(update: unknown): void {
    if (this.#said.length === 0) return
    const blocks = UserMessage.safeParse(update).data?.content ?? []
    const text = blocks.map((block) => block.text ?? '').join('')
    const at = this.#said.findIndex((said) => said.text === text)
    const [said] = at < 0 ? [] : this.#said.splice(at, 1)
    if (said) this.#ports.emit({ t: 'heard', message: said.message })
  }

  /** The turn is over. */
  forget(): void {
    this.#said = []
  }

  #call(prompt: readonly unknown[]): Promise<RpcOutcome | undefined> {
    const { peer, native } = this.#ports
    const params = {
      sessionId: native(),
      prompt,
      _meta: { steering: { idleBehavior: 'promptRequired' } },
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), answerTimeoutMs)
      peer.call('_session/steering', params, (outcome) => {
        clearTimeout(timer)
        resolve(outcome)
      })
    })
  }
}
