import { type AgentEvent, type AgentFacts, type Asking, StartError } from '../adapter.ts'
import { asksIn, chooseMode, type ModeView, readModel, readModeOption, readModes } from './asking-mode.ts'
import type { Breaker } from '../wire/breaker.ts'
import { type Peer, RpcFailure } from '../wire/peer.ts'
import { ConfigOptionsResult, type KnownUpdate, type OpenedSession } from './schema.ts'

type ModeUpdate = Extract<KnownUpdate, { sessionUpdate: 'current_mode_update' | 'config_option_update' }>

/** What the keeper works with. */
export interface ModePorts {
  peer: Peer
  /** Of the protocol. */
  version: () => 1 | 2
  asking: Asking
  breaker: Breaker
  /** The agent's own name for the session. */
  native: () => string | undefined
  emit: (event: AgentEvent) => void
  /** The agent cannot be kept in a mode that asks. */
  fault: (note: string) => void
}

/**
 * Keeps an agent in the mode in which it asks, or in the one that a person chose. It is forced at the start and read back;
 * an agent that leaves it by itself is put back, or ended.
 */
export class ModeKeeper {
  readonly #ports: ModePorts
  #modes: ModeView = { current: undefined, modes: [] }
  #model: string | undefined
  /** The mode that it is supposed to be in. */
  #wanted: string | undefined
  #isOpen = false

  constructor(ports: ModePorts) {
    this.#ports = ports
  }

  get facts(): AgentFacts {
    const { current: mode, modes } = this.#modes
    return { mode, modes: modes.length > 0 ? modes : undefined, model: this.#model }
  }

  /** After session/new, load and resume. Rejects with a StartError where it cannot be supervised. */
  async open(opened: OpenedSession, chosen: string | undefined): Promise<void> {
    const told = readModes(opened)
    // An update may have come between the answer and here: it is newer.
    this.#modes = { ...told, current: this.#modes.current ?? told.current }
    this.#model = opened.models?.currentModelId ?? readModel(opened.configOptions ?? [])
    const choice = chooseMode(this.#modes, this.#ports.asking, chosen)
    if ('refusal' in choice) throw new StartError(choice.refusal)
    this.#wanted = choice.mode
    if (choice.mode !== undefined && choice.mode !== this.#modes.current) await this.#apply(choice.mode)
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

  updated(update: ModeUpdate): void {
    const before = { mode: this.#modes.current, model: this.#model }
    if (update.sessionUpdate === 'current_mode_update') {
      this.#modes = { ...this.#modes, current: update.currentModeId }
    } else {
      const told = readModeOption(update.configOptions)
      // Where modes have a call of their own, that is what counts.
      if (told && this.#modes.setBy?.method !== 'session/set_mode') this.#modes = told
      this.#model = readModel(update.configOptions) ?? this.#model
    }
    if (!this.#isOpen) return
    const { mode, model } = this.facts
    if (mode !== before.mode || model !== before.model) this.#ports.emit({ t: 'profile', mode, model })
    if (mode !== undefined && mode !== before.mode && mode !== this.#wanted) this.#left(mode)
  }

  /** It went into another mode by itself: fine where it asks there too, otherwise it is put back or ended. */
  #left(mode: string): void {
    const { asking, breaker, fault } = this.#ports
    if (asksIn(mode, asking)) {
      this.#wanted = mode
      return
    }
    breaker.count('left its mode by itself', 'broken')
    const wanted = this.#wanted
    if (wanted === undefined) return
    this.#apply(wanted).catch(() => {
      fault(`The agent left the mode "${wanted}" for "${mode}" by itself and would not go back.`)
    })
  }

  /** Rejects with a StartError: a sentence for people. */
  async #apply(mode: string): Promise<void> {
    const { peer, native, version } = this.#ports
    const { setBy } = this.#modes
    if (!setBy) throw new StartError('The agent has no modes that could be set.')
    const sessionId = native()
    try {
      const answer =
        setBy.method === 'session/set_mode'
          ? await peer.request(setBy.method, { sessionId, modeId: mode })
          : await peer.request(setBy.method, {
              sessionId,
              configId: setBy.configId,
              value: mode,
              ...(version() === 2 ? { type: 'id' } : {}),
            })
      const told = setBy.method === 'session/set_mode' ? undefined : readBack(answer)
      if (told !== undefined && told !== mode) throw new StartError(`The agent stayed in the mode "${told}".`)
    } catch (error) {
      if (error instanceof StartError) throw error
      const why = error instanceof RpcFailure ? error.message : String(error)
      throw new StartError(`The agent refused the mode "${mode}": ${why}`, { cause: error })
    }
    const before = this.#modes.current
    this.#modes = { ...this.#modes, current: mode }
    if (this.#isOpen && before !== mode) this.#ports.emit({ t: 'profile', mode })
  }
}

function readBack(answer: unknown): string | undefined {
  const parsed = ConfigOptionsResult.safeParse(answer)
  return parsed.success ? readModeOption(parsed.data.configOptions)?.current : undefined
}
