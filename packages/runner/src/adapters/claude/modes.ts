import { type AgentEvent, type AgentFacts, type Asking, StartError, type StartSpec } from '../adapter.ts'
import type { Breaker } from '../wire/breaker.ts'
import { type Control, ControlFailure } from './control.ts'
import { ModeSet } from './schema.ts'

/** The modes that people may choose, as Claude Code has them. What is refused on a machine, it refuses itself. */
export const modes: readonly { id: string; name: string }[] = [
  { id: 'default', name: 'Ask' },
  { id: 'plan', name: 'Plan, change nothing' },
  { id: 'acceptEdits', name: 'Edit files without asking' },
  { id: 'auto', name: 'A model decides' },
  { id: 'bypassPermissions', name: 'Ask nothing' },
]

/** Modes in which nobody is asked: an agent that goes there by itself is not put back but ended. */
const unsupervised: ReadonlySet<string> = new Set(['auto', 'bypassPermissions'])

/** The mode to start in: the one that a person chose, or the first one that asks. */
export function startMode({ asking, mode }: Pick<StartSpec, 'asking' | 'mode'>): string {
  return mode ?? (asking.by === 'mode' ? asking.modes[0] : undefined) ?? 'default'
}

/** What the keeper works with. */
export interface ModePorts {
  control: Control
  asking: Asking
  breaker: Breaker
  emit: (event: AgentEvent) => void
  /** The agent cannot be kept in a mode that asks. */
  fault: (note: string) => void
}

/**
 * Keeps an agent in the mode in which it asks, or in the one that a person chose. It is given at the start, and compared
 * with what the agent says of itself then, at the beginning of each turn, and whenever it tells of a change.
 */
export class Modes {
  readonly #ports: ModePorts
  #wanted: string
  #current: string | undefined
  #isOpen = false

  /** `wanted`: the mode that it is started in. */
  constructor(ports: ModePorts, wanted: string) {
    this.#ports = ports
    this.#wanted = wanted
  }

  get facts(): AgentFacts {
    return { mode: this.#current, modes }
  }

  /** The agent says in which mode it has come up. Rejects with a StartError where it will not have the wanted one. */
  async open(told: string | undefined): Promise<void> {
    this.#current = told
    if (told !== this.#wanted) await this.#apply(this.#wanted)
    this.#isOpen = true
  }

  /** A person chose another mode. Rejects with a sentence for people. */
  async set(mode: string): Promise<void> {
    const before = this.#wanted
    this.#wanted = mode
    try {
      await this.#apply(mode)
    } catch (error) {
      this.#wanted = before
      throw error
    }
  }

  /** The agent says in which mode it is. */
  told(mode: string | null | undefined): void {
    if (!mode || mode === this.#current) return
    this.#current = mode
    if (!this.#isOpen) return
    this.#ports.emit({ t: 'profile', mode })
    if (mode === this.#wanted) return
    const { asking, breaker, fault } = this.#ports
    if (asking.by === 'mode' && asking.modes.includes(mode)) {
      this.#wanted = mode
      return
    }
    const wanted = this.#wanted
    const note = `The agent left the mode "${wanted}" for "${mode}" by itself`
    if (unsupervised.has(mode)) return fault(`${note}, in which nobody is asked.`)
    breaker.count('left its mode by itself', 'broken')
    this.#apply(wanted).catch(() => fault(`${note} and would not go back.`))
  }

  /** Rejects with a StartError: a sentence for people. */
  async #apply(mode: string): Promise<void> {
    try {
      const answer = ModeSet.safeParse(await this.#ports.control.request({ subtype: 'set_permission_mode', mode }))
      const told = answer.data?.mode
      if (told !== mode)
        throw new StartError(`The agent ${told ? `stayed in the mode "${told}"` : 'did not say its mode'}.`)
    } catch (error) {
      if (error instanceof StartError || (error instanceof ControlFailure && error.isGone)) throw error
      const why = error instanceof Error ? error.message : String(error)
      throw new StartError(`The agent refused the mode "${mode}": ${why}`, { cause: error })
    }
    const before = this.#current
    this.#current = mode
    if (this.#isOpen && before !== mode) this.#ports.emit({ t: 'profile', mode })
  }
}
