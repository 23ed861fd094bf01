import { randomUUID } from 'node:crypto'
import type { AgentSession } from '../adapters/adapter.ts'
import type { Log } from '../log.ts'
import type { Spool } from '../spool/spool.ts'
import type { Reporter } from './reporter.ts'
import type { SessionLog } from './session-log.ts'

/** After something here failed (a full disk), the next try to hand a message over. */
const retryMs = 5_000

/** What the queue of an agent works with. */
export interface PromptPorts {
  session: string
  agent: AgentSession
  sessionLog: SessionLog
  reporter: Reporter
  spool: Pick<Spool, 'intend' | 'conclude'>
  log: Log
  /** False while the agent has a turn, or is not there. */
  isFree: () => boolean
  /** A turn begins now, before the agent hears of it. */
  onTurn: (turn: string, message: string | undefined) => void
}

/** Hands people's messages to an agent, one at a time; where there are none, what it has not heard otherwise. */
export class Prompts {
  readonly #ports: PromptPorts
  /** Messages that are done with, whatever a log says that is behind, or that was restored from a backup. */
  readonly #given = new Set<string>()
  /** Reasons of refusals that the agent did not hear. */
  #unheard: string[] = []
  #isBusy = false

  constructor(ports: PromptPorts) {
    this.#ports = ports
  }

  /** A person refused something and said why, and the agent cannot hear it with the answer. */
  tellLater(title: string, reason: string): void {
    this.#unheard.push(`[Hotline] "${title}" was refused. The person says: ${reason}`)
  }

  /** The person wants quiet: what was to be told is not told. */
  tellNothing(): void {
    this.#unheard = []
  }

  /** Hands the next one over, if the agent is free. To be called whenever that may have changed. */
  pump(): void {
    const { sessionLog, isFree } = this.#ports
    const { state } = sessionLog
    if (this.#isBusy || !isFree() || state?.status !== 'active' || state.ending) return
    const next = state.queue.find(({ message }) => !this.#given.has(message))
    if (next) {
      // What the person wrote goes before what we would say for them.
      this.#unheard = []
      this.#alone(this.#claim(next.message))
    } else if (this.#unheard.length > 0) {
      const text = this.#unheard.join('\n')
      this.#unheard = []
      this.#alone(this.#tell(text))
    }
  }

  #alone(work: Promise<void>): void {
    this.#isBusy = true
    const free = (): void => {
      this.#isBusy = false
      this.pump()
    }
    work.then(free, (error: unknown) => {
      const { session, log } = this.#ports
      log.error('message not handed over', { session, error: String(error) })
      setTimeout(free, retryMs).unref()
    })
  }

  /**
   * First the intent, then the claim, then the agent: whoever withdraws the message in between wins or loses cleanly, and
   * after a crash nobody sends it a second time.
   */
  async #claim(message: string): Promise<void> {
    const { reporter, spool, sessionLog, agent } = this.#ports
    const text = sessionLog.textOf(message)
    const turn = randomUUID()
    const isTurn = agent.capabilities.input === 'turns'
    const intent = await spool.intend({ what: 'prompt', message })
    const fate = await reporter.ask({ type: 'message.delivered', data: { message, ...(isTurn ? { turn } : {}) } })
    this.#given.add(message)
    // What is no longer in the queue, or was erased, is not handed over.
    if (fate === 'kept' && text !== undefined) await this.#prompt(turn, message, text)
    spool.conclude(intent)
  }

  /** What a person said in refusing goes on as a message of its own, marked as what it is, and stands in the log. */
  async #tell(text: string): Promise<void> {
    const { reporter, spool } = this.#ports
    const intent = await spool.intend({ what: 'prompt' })
    reporter.output('log', `Sent to the agent: ${text}\n`)
    await this.#prompt(randomUUID(), undefined, text)
    spool.conclude(intent)
  }

  async #prompt(turn: string, message: string | undefined, text: string): Promise<void> {
    const { agent, reporter, onTurn, session, log } = this.#ports
    if (agent.capabilities.input === 'turns') {
      onTurn(turn, message)
      reporter.put({ type: 'turn.started', data: { turn, ...(message === undefined ? {} : { message }) } })
    }
    try {
      await agent.prompt(turn, text)
    } catch (error) {
      // It ended while it was being told: its end follows, and nobody can say whether it heard.
      log.warn('prompt not handed over', { session, error: String(error) })
      if (message !== undefined) reporter.put({ type: 'message.delivery_unknown', data: { message } })
    }
  }
}
