import type { Report } from '@hotline/protocol/commands/agent'
import type { DataOf } from '@hotline/protocol/events'
import { endedWords } from '@hotline/core/one-line'
import type { AgentSession } from '../adapters/adapter.ts'
import { endBegun } from '../process/end-begun.ts'
import { startTicksOf } from '../process/process-table.ts'
import { send } from '../process/process-tree.ts'
import type { Hold } from './hold.ts'
import type { RunningTurn } from './running-turn.ts'

type Control = DataOf<'control.requested'>

/** Whoever did not want to wait does so again for no longer than this, once nothing is left for the agent to wait for. */
const hardPatienceMs = 5_000

/** What the controls of people work with. */
export interface ControlPorts {
  agent: Pick<AgentSession, 'interrupt' | 'setMode' | 'tree' | 'pid'>
  report: (report: Report) => void
  hold: Hold
  /** Without one there is nothing to interrupt. */
  turn: RunningTurn
  /** A person wants quiet. */
  onInterrupt: () => void
  onKill: (control: Control) => void
  interruptTimeoutMs: number
}

/**
 * Does to an agent what people want done to it, and says what became of that. A turn is stopped softly first: the agent is
 * told by its own protocol. Where it has not stopped in time, or somebody does not want to wait, what it has started in that
 * turn is ended. The agent itself gets a signal only where somebody has asked for the harder stop: most end at
 * SIGINT, mid-sentence, and that is not what a time-out may decide. It can be taken up again then. What remains after that
 * is to end the session, and that is a person's to decide too.
 */
export class Controls {
  readonly #ports: ControlPorts
  #interrupts: Control[] = []
  #interruptedMs = 0
  #isHard = false
  /** The agent itself was told by a signal. */
  #isSignalled = false
  #agentTicks = 0
  #timer: NodeJS.Timeout | undefined

  constructor(ports: ControlPorts) {
    this.#ports = ports
  }

  /** The turn that runs is being stopped. */
  get isInterrupting(): boolean {
    return this.#interrupts.length > 0
  }

  /** Something that a person wants done to the agent. */
  async act(data: Control): Promise<void> {
    const { agent, hold, onKill } = this.#ports
    switch (data.action) {
      case 'interrupt':
        return await this.#interrupt(data)
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

  async #interrupt(data: Control): Promise<void> {
    const { agent, turn, onInterrupt, interruptTimeoutMs } = this.#ports
    if (turn.now === undefined) return this.#done(data)
    const isFirst = !this.isInterrupting
    this.#interrupts.push(data)
    if (isFirst) {
      this.#interruptedMs = performance.now()
      this.#agentTicks = startTicksOf(agent.pid ?? 0)
      this.#timer = setTimeout(() => void this.#goFurther(), interruptTimeoutMs)
      onInterrupt()
      await agent.interrupt()
    }
    if (data.hard === true) await this.#goFurther()
  }

  /** What it has started in this turn is ended: mostly it waits for that. */
  async #goFurther(): Promise<void> {
    if (this.#isHard) return
    this.#isHard = true
    clearTimeout(this.#timer)
    const { agent, turn, report, interruptTimeoutMs } = this.#ports
    const name = turn.now
    const control = this.#interrupts.at(-1)
    const afterMs = this.#passedMs
    const processes = await endBegun(agent, turn.since, (found) => {
      if (!control || turn.now !== name) return 'leave'
      const data = { control: control.control, action: 'interrupt', processes: found, afterMs }
      report({ type: 'control.escalated', data })
      return 'end'
    })
    if (turn.now !== name || !this.isInterrupting) return
    const also =
      processes > 0 ? `though ${endedWords(processes)}` : 'and nothing that it has started in this turn is running'
    if (processes === 0 && !this.#isHarderWanted) return this.#notStopping(also)
    const patienceMs = this.#isHarderWanted ? Math.min(hardPatienceMs, interruptTimeoutMs) : interruptTimeoutMs
    this.#timer = setTimeout(() => this.#signalAgent(also), patienceMs)
  }

  get #isHarderWanted(): boolean {
    return this.#interrupts.some(({ hard }) => hard === true)
  }

  /** Nothing is left that it could wait for, and somebody wants it to stop all the same. */
  #signalAgent(also: string): void {
    const { agent, report, interruptTimeoutMs } = this.#ports
    const { pid } = agent
    const control = this.#interrupts.findLast(({ hard }) => hard === true)
    if (!control || pid === undefined || startTicksOf(pid) !== this.#agentTicks) return this.#notStopping(also)
    this.#isSignalled = true
    const data = { control: control.control, action: 'interrupt', processes: 0, agent: true, afterMs: this.#passedMs }
    report({ type: 'control.escalated', data })
    send(pid, 'SIGINT')
    const signalled = `${also}, and the agent itself was interrupted (SIGINT)`
    this.#timer = setTimeout(() => this.#notStopping(signalled), Math.min(hardPatienceMs, interruptTimeoutMs))
  }

  /** The turn is over, and with it what was to be stopped. */
  turnEnded(): void {
    for (const data of this.#settle()) this.#done(data)
  }

  /** The agent is gone. Where that is how it stopped, its turn has been stopped. */
  end(): void {
    const { turn, report } = this.#ports
    if (!this.#isSignalled) return void this.#settle()
    if (turn.now !== undefined) report({ type: 'turn.ended', data: { turn: turn.now, end: 'cancelled' } })
    for (const data of this.#settle()) this.#done(data)
  }

  get #passedMs(): number {
    return Math.round(performance.now() - this.#interruptedMs)
  }

  #settle(): readonly Control[] {
    clearTimeout(this.#timer)
    const interrupts = this.#interrupts
    this.#interrupts = []
    this.#isHard = false
    this.#isSignalled = false
    return interrupts
  }

  #done({ control, action }: Control): void {
    this.#ports.report({ type: 'control.done', data: { control, action } })
  }

  #failed({ control, action }: Control, reason: string): void {
    this.#ports.report({ type: 'control.failed', data: { control, action }, body: { reason } })
  }

  #notStopping(also: string): void {
    const seconds = Math.round(this.#passedMs / 100) / 10
    const reason = `The agent has not stopped within ${seconds} seconds, ${also}. End the session to stop it.`
    for (const data of this.#settle()) this.#failed(data, reason)
  }
}
