import type { Report } from '@hotline/protocol/commands/agent'
import type { DataOf } from '@hotline/protocol/events'
import type { AgentSession } from '../adapters/adapter.ts'
import type { Hold } from './hold.ts'

type Control = DataOf<'control.requested'>

/** What the controls of people work with. */
export interface ControlPorts {
  agent: Pick<AgentSession, 'interrupt' | 'setMode'>
  report: (report: Report) => void
  hold: Hold
  /** Without a turn there is nothing to interrupt. */
  hasTurn: () => boolean
  /** A person wants quiet. */
  onInterrupt: () => void
  onKill: (control: Control) => void
  interruptTimeoutMs: number
}

/** Does to an agent what people want done to it, and says what became of that. */
export class Controls {
  readonly #ports: ControlPorts
  #interrupts: { control: string; timer: NodeJS.Timeout }[] = []

  constructor(ports: ControlPorts) {
    this.#ports = ports
  }

  /** The turn that runs is being stopped. */
  get isInterrupting(): boolean {
    return this.#interrupts.length > 0
  }

  /** Something that a person wants done to the agent. */
  async act(data: Control): Promise<void> {
    const { agent, hold, hasTurn, interruptTimeoutMs, onInterrupt, onKill } = this.#ports
    const { control, action } = data
    switch (action) {
      case 'interrupt':
        if (!hasTurn()) return this.#done(data)
        this.#interrupts.push({ control, timer: setTimeout(() => this.#notStopping(data), interruptTimeoutMs) })
        onInterrupt()
        return agent.interrupt()
      case 'set_mode':
        try {
          await agent.setMode(data.mode ?? '')
          return this.#done(data)
        } catch (error) {
          return this.#failed(data, error instanceof Error ? error.message : String(error))
        }
      case 'kill':
        return onKill(data)
      case 'pause':
        return hold.pause(data)
      case 'resume':
        return hold.resume(data)
    }
  }

  /** The turn is over, and with it what was to be stopped. */
  turnEnded(): void {
    const interrupts = this.#interrupts
    this.#interrupts = []
    for (const { control, timer } of interrupts) {
      clearTimeout(timer)
      this.#done({ control, action: 'interrupt' })
    }
  }

  /** The agent is gone. */
  end(): void {
    for (const { timer } of this.#interrupts) clearTimeout(timer)
  }

  #done({ control, action }: Control): void {
    this.#ports.report({ type: 'control.done', data: { control, action } })
  }

  #failed({ control, action }: Control, reason: string): void {
    this.#ports.report({ type: 'control.failed', data: { control, action }, body: { reason } })
  }

  #notStopping(data: Control): void {
    this.#interrupts = this.#interrupts.filter(({ control }) => control !== data.control)
    const seconds = this.#ports.interruptTimeoutMs / 1_000
    this.#failed(data, `The agent has not stopped within ${seconds} seconds. End the session to stop it.`)
  }
}
