import type { EventOf } from '@hotline/protocol/events'
import type { RunPorts } from './run-ports.ts'

/** Gives an agent the keys that people type. */
export class Keyboard {
  readonly #ports: Pick<RunPorts, 'agent' | 'spool' | 'log' | 'session' | 'takesInput'>
  /** Keys reach the terminal in the order of the log, whatever the disk takes for each. */
  #typing: Promise<unknown> = Promise.resolve()

  constructor(ports: Pick<RunPorts, 'agent' | 'spool' | 'log' | 'session' | 'takesInput'>) {
    this.#ports = ports
  }

  /** Resolves when they are typed, or could not be. */
  type(keys: EventOf<'input.sent'>): Promise<unknown> {
    this.#typing = this.#typing.then(() => this.#type(keys))
    return this.#typing
  }

  async #type({ data, body }: EventOf<'input.sent'>): Promise<void> {
    if (!body || !this.#ports.takesInput) return
    const { spool, agent, log, session } = this.#ports
    try {
      const intent = await spool.intend({ what: 'keys', input: data.input })
      await agent.keys(Buffer.from(body.text, data.encoding), data.input)
      spool.conclude(intent)
    } catch (error) {
      log.error('keys not typed', { session, error: String(error) })
    }
  }
}
