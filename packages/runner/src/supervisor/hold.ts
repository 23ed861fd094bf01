import type { Report } from '@hotline/protocol/commands/agent'
import type { DataOf } from '@hotline/protocol/events'
import type { PauseKind, PauseMoment } from '@hotline/protocol/events/control'
import type { HeldTree } from '../process/holder.ts'
import { stateReport } from './endings.ts'

type Control = DataOf<'control.requested'>

/** An agent that stood still for longer than this in the middle of a turn may find that its model no longer waits for it. */
const upstreamPatienceMs = 30_000

/** What a hold works with. */
export interface HoldPorts {
  /** Absent where there is no process. */
  tree: HeldTree | undefined
  report: (report: Report) => void
  /** In the middle of a turn, an agent has a conversation with its model under way. */
  hasTurn: () => boolean
  /** It goes on: what waited for that may be handed over. */
  onGoing: () => void
}

/**
 * Keeps an agent from going on: frozen, where each of its processes is stopped at once; or held, where it works on to its
 * next step and then gets no answer and no message. Whatever people decide meanwhile waits here, in its order.
 */
export class Hold {
  readonly #ports: HoldPorts
  #kind: PauseKind | undefined
  /** A person wants it held at its next step. */
  #atNextStep: Control | undefined
  /** A budget is used up: it is held at its next step, until it has more. */
  #isSpent = false
  /** Nobody but a used up budget keeps it from going on. */
  #isForBudget = false
  #going = Promise.withResolvers<void>()
  #isStopping = false
  #sinceMs = 0
  #hadTurn = false

  constructor(ports: HoldPorts) {
    this.#ports = ports
    this.#going.resolve()
  }

  /** Nothing is to be handed to it now. */
  get isPaused(): boolean {
    return this.#kind !== undefined
  }

  /** An earlier life of the runner has paused it. */
  recall(kind: PauseKind, why: 'asked' | 'budget'): void {
    this.#kind = kind
    this.#isForBudget = why === 'budget'
    this.#hadTurn = this.#ports.hasTurn()
    this.#sinceMs = performance.now()
    this.#going = Promise.withResolvers()
  }

  /** Does it now, or once the agent may go on. */
  async whenGoing(act: () => Promise<unknown>): Promise<void> {
    while (this.#kind !== undefined) await this.#going.promise
    await act()
  }

  async pause(control: Control): Promise<void> {
    if (control.when === 'next_step') {
      this.#atNextStep = control
      if (!this.#ports.hasTurn()) this.step()
      return
    }
    const { tree } = this.#ports
    const stopped = (await tree?.freeze()) ?? {
      done: false,
      reason: 'This agent has no process that could be stopped.',
    }
    if (!stopped.done) return this.#failed(control, stopped.reason)
    // What is there already counts: it is held, whatever was to happen at its next step.
    this.#drop('done')
    this.#begin('frozen', control, { reach: tree?.reach, processes: stopped.processes })
  }

  /** A budget is used up: it is held at its next step, or stopped where it is. */
  spent(where: PauseMoment): void {
    this.#isSpent = true
    if (where === 'next_step') return this.#ports.hasTurn() ? undefined : this.step()
    if (this.#kind !== undefined || this.#isStopping) return
    this.#isStopping = true
    void this.#stop().finally(() => (this.#isStopping = false))
  }

  async #stop(): Promise<void> {
    const { tree } = this.#ports
    const stopped = await tree?.freeze()
    // Where it cannot be stopped, it is held when it next asks or ends its turn.
    if (stopped?.done !== true) return
    if (this.#kind !== undefined || !this.#isSpent) {
      if (this.#kind !== 'frozen') await tree?.thaw()
      return
    }
    this.#begin('frozen', undefined, { reach: tree?.reach, processes: stopped.processes })
  }

  /** There is a budget again. Where a person has paused it as well, it waits for them. */
  spare(): void {
    this.#isSpent = false
    if (this.#kind !== undefined && this.#isForBudget) void this.#go()
  }

  async resume(control: Control): Promise<void> {
    this.#drop('failed')
    await this.#go(control)
  }

  async #go(control?: Control): Promise<void> {
    const kind = this.#kind
    if (kind === 'frozen') {
      const going = await this.#ports.tree?.thaw()
      if (going?.done === false) return control && this.#failed(control, going.reason)
    }
    if (control) this.#ports.report({ type: 'control.done', data: { control: control.control, action: 'resume' } })
    if (kind === undefined || this.#kind === undefined) return
    const stoodMs = performance.now() - this.#sinceMs
    const note = kind === 'frozen' && this.#hadTurn && stoodMs > upstreamPatienceMs ? upstreamNote(stoodMs) : undefined
    this.#kind = undefined
    this.#ports.report(stateReport('active', 'requested', note === undefined ? {} : { note }))
    this.#going.resolve()
    this.#ports.onGoing()
  }

  /** The agent asks something, or has ended its turn: here it can be held. */
  step(): void {
    const control = this.#atNextStep
    if ((!control && !this.#isSpent) || this.#kind !== undefined) return
    this.#atNextStep = undefined
    this.#begin('held', control, {})
  }

  /** The agent is gone: nothing waits for it any more. */
  end(): void {
    this.#kind = undefined
    this.#going.resolve()
  }

  #begin(kind: PauseKind, asked: Control | undefined, found: { reach?: string | undefined; processes?: number }): void {
    const isPaused = this.#kind !== undefined
    const { reach, processes } = found
    const evidence = { ...(reach === undefined ? {} : { reach }), ...(processes === undefined ? {} : { processes }) }
    if (asked) {
      const data = { control: asked.control, action: 'pause', kind, ...evidence }
      this.#ports.report({ type: 'control.done', data })
    }
    this.#kind = kind
    this.#isForBudget = asked === undefined
    this.#hadTurn = this.#ports.hasTurn()
    if (isPaused) return
    this.#sinceMs = performance.now()
    this.#going = Promise.withResolvers()
    const why = asked ? stateReport('paused', 'requested') : undefined
    this.#ports.report(why ?? stateReport('paused', 'budget_spent', { paused: { kind, ...evidence } }))
  }

  /** Ends the wait for the next step. */
  #drop(outcome: 'done' | 'failed'): void {
    const control = this.#atNextStep
    this.#atNextStep = undefined
    if (!control) return
    if (outcome === 'failed') return this.#failed(control, 'It was called off before the agent came to a step.')
    this.#ports.report({ type: 'control.done', data: { control: control.control, action: 'pause', kind: 'frozen' } })
  }

  #failed({ control, action }: Control, reason: string): void {
    this.#ports.report({ type: 'control.failed', data: { control, action }, body: { reason } })
  }
}

function upstreamNote(stoodMs: number): string {
  const minutes = Math.round(stoodMs / 60_000)
  const length = minutes > 0 ? `${minutes} min` : `${Math.round(stoodMs / 1_000)} s`
  return `It stood still for ${length} in the middle of a turn: its model may have given up waiting. If it reports an error, ask it to go on.`
}
