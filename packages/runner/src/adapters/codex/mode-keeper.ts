import { type AgentEvent, type AgentFacts, type Asking, StartError } from '../adapter.ts'
import type { Breaker } from '../wire/breaker.ts'
import { type Peer, RpcFailure } from '../wire/peer.ts'
import { chooseMode, type CodexMode, codexModes, describeSettings, modeNamed, modeOf } from './asking-mode.ts'
import type { AskingSettings, OpenedThread } from './schema.ts'

/** What the keeper works with. */
export interface ModePorts {
  peer: Peer
  asking: Asking
  breaker: Breaker
  /** The agent's own name for the thread. */
  thread: () => string | undefined
  emit: (event: AgentEvent) => void
  /** The agent cannot be kept in the mode. */
  fault: (note: string) => void
}

/**
 * Keeps codex asking as it was told to, or as a person chose who may. That is passed when a thread is opened, read back
 * from the answer, and watched: where codex changes it by itself it is put back, or ended.
 */
export class ModeKeeper {
  readonly #ports: ModePorts
  /** Where codex is supposed to be. */
  #wanted: CodexMode | undefined
  /** Where it said that it is. */
  #settings: AskingSettings | undefined
  /** The sandboxes that it said itself: they hold what the person has set for them. */
  readonly #sandboxes = new Map<string, AskingSettings['sandbox']>()
  #model: string | undefined
  #isChanging = false

  constructor(ports: ModePorts) {
    this.#ports = ports
  }

  get facts(): AgentFacts {
    const mode = this.#settings && modeOf(this.#settings)?.id
    return { mode, modes: codexModes.map(({ id, name }) => ({ id, name })), model: this.#model }
  }

  /** Before a thread is opened. Throws a StartError where the mode is none. */
  choose(wanted: string | undefined): CodexMode {
    this.#wanted = chooseMode(this.#ports.asking, wanted)
    return this.#wanted
  }

  /** After thread/start and thread/resume. Throws a StartError where it is not as it was told to be. */
  verify(opened: OpenedThread): void {
    this.#note(opened)
    this.#model = opened.model ?? undefined
    const wanted = this.#wanted
    if (wanted === undefined || modeOf(opened)?.id === wanted.id) return
    throw new StartError(
      `The agent was not started: it was told to work in the mode "${wanted.id}", and says: ${describeSettings(opened)}.`,
    )
  }

  /** A person chose another mode. Rejects with a sentence for people. */
  async set(id: string): Promise<void> {
    const mode = modeNamed(id)
    if (!mode) throw new StartError(`The agent has no mode "${id}".`)
    const before = this.#wanted
    this.#wanted = mode
    try {
      await this.#apply(mode)
    } catch (error) {
      this.#wanted = before
      throw error
    }
  }

  /** thread/settings/updated. */
  updated(settings: AskingSettings, model: string | undefined): void {
    const before = this.facts
    this.#note(settings)
    this.#model = model ?? this.#model
    const after = this.facts
    if (after.mode !== before.mode || after.model !== before.model) {
      this.#ports.emit({ t: 'profile', mode: after.mode, model: after.model })
    }
    if (!this.#isChanging && this.#wanted && after.mode !== this.#wanted.id) this.#left(this.#wanted, settings)
  }

  rerouted(model: string): void {
    this.#model = model
    this.#ports.emit({ t: 'profile', model })
  }

  #note(settings: AskingSettings): void {
    this.#settings = settings
    this.#sandboxes.set(settings.sandbox.type, settings.sandbox)
  }

  /** It changed how it asks by itself. */
  #left(wanted: CodexMode, settings: AskingSettings): void {
    const { breaker, fault } = this.#ports
    breaker.count('left its mode by itself', 'broken')
    this.#apply(wanted).catch(() => {
      fault(`The agent left the mode "${wanted.id}" by itself and would not go back: ${describeSettings(settings)}.`)
    })
  }

  /** Rejects with a StartError: a sentence for people. */
  async #apply(mode: CodexMode): Promise<void> {
    const { peer, thread } = this.#ports
    this.#isChanging = true
    try {
      await peer.request('thread/settings/update', {
        threadId: thread(),
        approvalPolicy: mode.approvalPolicy,
        approvalsReviewer: 'user',
        sandboxPolicy: this.#sandboxes.get(mode.sandboxType) ?? freshSandbox(mode),
      })
    } catch (error) {
      const why = error instanceof RpcFailure ? error.message : String(error)
      throw new StartError(`The agent refused the mode "${mode.id}": ${why}`, { cause: error })
    } finally {
      this.#isChanging = false
    }
    // It tells its settings before it answers.
    const told = this.#settings
    if (told && modeOf(told)?.id === mode.id) return
    throw new StartError(`The agent did not take the mode "${mode.id}"${told ? `: ${describeSettings(told)}` : ''}.`)
  }
}

/** A sandbox as codex has it where nobody has set anything about it. */
function freshSandbox({ sandboxType: type }: CodexMode): Record<string, unknown> {
  switch (type) {
    case 'workspaceWrite':
      return { type, writableRoots: [], networkAccess: false, excludeTmpdirEnvVar: false, excludeSlashTmp: false }
    case 'readOnly':
      return { type, networkAccess: false }
    case 'dangerFullAccess':
      return { type }
  }
}
