import { randomUUID } from 'node:crypto'
import type { QueuedMessage } from '@hotline/core/session/state'
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
  /** False: what the session was started with is all that the agent hears. */
  takesInput: boolean
  /** A turn begins now, before the agent hears of it. */
  onTurn: (turn: string, message: string | undefined) => void
}

/** Hands people's messages to an agent, one at a time; where there are none, what it has not heard otherwise. */
export class Prompts {
  readonly #ports: PromptPorts
  /** Messages that are done with, whatever a log says that is behind, or that was restored from a backup. */
  readonly #given = new Set<string>()
  /** The log refused a claim for something that has not been read here yet: until it is, another one is of no use. */
  #isBehind = false
  /** Changes of the queue that were read. */
  #changes = 0
  /** Reasons of refusals that the agent did not hear. */
  #unheard: string[] = []
  #isBusy = false

  constructor(ports: PromptPorts) {
    this.#ports = ports
  }

  /** A person refused something and said why, and the agent cannot hear it with the answer. */
  tellLater(title: string, reason: string): void {
    if (this.#ports.takesInput) this.#unheard.push(`[Hotline] "${title}" was refused. The person says: ${reason}`)
  }

  /** The person wants quiet: what was to be told is not told. */
  tellNothing(): void {
    this.#unheard = []
  }

  /** Something is being handed over. */
  get isBusy(): boolean {
    return this.#isBusy
  }

  /** Something about the queue was read. */
  changed(): void {
    this.#changes += 1
    this.#isBehind = false
    this.pump()
  }

  /** The queue was read anew, of a log that may be older: what the agent has by then does not wait, whatever it says. */
  readAnew(): void {
    for (const { message } of this.#ports.sessionLog.state?.queue ?? []) {
      if (this.#given.has(message)) this.#ports.reporter.put({ type: 'message.delivery_unknown', data: { message } })
    }
    this.changed()
  }

  /** Hands the next one over, if the agent is free. To be called whenever that may have changed. */
  pump(): void {
    const { sessionLog, isFree, takesInput } = this.#ports
    const { state } = sessionLog
    if (this.#isBusy || !isFree() || state?.status !== 'active' || state.ending) return
    // Nothing reaches it: a message waits, and the end of the session says that nobody read it.
    if (this.#ports.agent.capabilities.input === 'none') return
    const may = ({ message }: QueuedMessage): boolean => takesInput || message === sessionLog.wanted.start
    const next = state.queue.find((queued) => !this.#given.has(queued.message) && may(queued))
    if (next) {
      // What the person wrote goes before what we would say for them.
      this.#unheard = []
      if (!this.#isBehind) this.#alone(this.#claim(next))
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
   * First the intent, then the claim, then the agent: whoever changes or withdraws the message in between wins or loses
   * cleanly, and after a crash nobody sends it a second time. The claim names the text that was read here, and counts only
   * while the log has that one: so the agent gets what the log says, however long the claim was on its way.
   */
  async #claim({ message, edits }: QueuedMessage): Promise<void> {
    const { reporter, spool, sessionLog, agent } = this.#ports
    const text = sessionLog.textOf(message)
    const changes = this.#changes
    const turn = randomUUID()
    const isTurn = agent.capabilities.input === 'turns'
    const intent = await spool.intend({ what: 'prompt', message })
    const fate = await reporter.ask({
      type: 'message.delivered',
      data: { message, ...(isTurn ? { turn } : {}), ...(edits === undefined ? {} : { edits }) },
    })
    if (fate === 'kept') {
      this.#given.add(message)
      // What was erased is not handed over.
      if (text !== undefined) await this.#prompt(turn, message, text)
    } else this.#isBehind = changes === this.#changes
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
