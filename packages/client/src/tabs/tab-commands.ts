import { type Problem, localProblem } from '@hotline/protocol/error'
import { look, takenBack, waitingMax } from '../command-checks.ts'
import type { CommandOutcome } from '../link.ts'
import type { Outbox, WaitingCommand } from '../outbox.ts'
import { unreachable } from '../problem-of.ts'
import type { Asked } from './messages.ts'

/**
 *   storing ──▶ kept ──(a leader is there)──▶ given ──(outcome)──▶ gone
 *
 * With another leader what was given is given again, with the same id.
 */
interface Entry {
  command: WaitingCommand
  phase: 'storing' | 'kept' | 'given'
  waiters: Set<(outcome: CommandOutcome) => void>
  /** Nobody waits for it, and whether it happened is not known: it stays in the outbox. */
  givenUp: boolean
}

/** What it needs of the tab. */
export interface TabCommandsPorts {
  outbox: Outbox
  /** To the leader; false where there is none. */
  post: (message: Asked) => boolean
  /** The commands that wait have changed. */
  changed: () => void
}

/**
 * The commands of one tab: each is in the outbox that all tabs share before the leader hears of it, and is given to every
 * next leader until there is an answer.
 */
export class TabCommands {
  readonly #ports: TabCommandsPorts
  readonly #entries = new Map<string, Entry>()
  /** Questions whether something can be taken back, in the order in which they were put to the leader. */
  readonly #takeBacks = new Map<string, ((done: boolean) => void)[]>()
  #over: Problem | undefined

  constructor(ports: TabCommandsPorts) {
    this.#ports = ports
  }

  /** Without an answer, oldest first. */
  get waiting(): WaitingCommand[] {
    return [...this.#entries.values()].map(({ command }) => command)
  }

  /** For a leader that is new, or has forgotten this tab. */
  giveAll(): WaitingCommand[] {
    // A leader that is gone does not answer these any more, and the next was never asked.
    for (const id of this.#takeBacks.keys()) this.tookBack(id, false)
    const kept = [...this.#entries.values()].filter(({ phase }) => phase !== 'storing')
    for (const entry of kept) entry.phase = 'given'
    return kept.map(({ command }) => command)
  }

  give(command: WaitingCommand, others: number, signal?: AbortSignal): Promise<CommandOutcome> {
    const refuse = (why: Problem): Promise<CommandOutcome> => Promise.resolve({ ok: false, problem: why })
    if (this.#over) return refuse(this.#over)
    if (signal?.aborted) return refuse(takenBack())
    const known = this.#entries.get(command.id)
    if (!known && this.#entries.size + others >= waitingMax) {
      const detail = `${waitingMax} commands wait for the server already. Wait until it can be reached again.`
      return refuse(localProblem('queue_full', detail, { limit: waitingMax }))
    }
    if (!look(command).whole) {
      return refuse(localProblem('invalid_request', 'The text holds half of a character. Write that place anew.'))
    }
    const entry: Entry = known ?? { command, phase: 'storing', waiters: new Set(), givenUp: false }
    entry.givenUp = false
    if (!known) {
      this.#entries.set(command.id, entry)
      void this.#store(entry)
      this.#ports.changed()
    }
    return new Promise((resolve) => {
      const abort = (): void => this.#abort(entry)
      signal?.addEventListener('abort', abort, { once: true })
      entry.waiters.add((outcome) => {
        signal?.removeEventListener('abort', abort)
        resolve(outcome)
      })
    })
  }

  /** False where it may have arrived, or is answered already. */
  async takeBack(id: string): Promise<boolean> {
    const entry = this.#entries.get(id)
    if (entry && entry.phase !== 'given') {
      this.#settle(entry, { ok: false, problem: takenBack() })
      return true
    }
    // Also what an earlier visit or another tab has left: the leader knows whether it was sent.
    if (!this.#ports.post({ t: 'take-back', id })) return false
    return new Promise((resolve) => this.#takeBacks.set(id, [...(this.#takeBacks.get(id) ?? []), resolve]))
  }

  tookBack(id: string, done: boolean): void {
    const asked = this.#takeBacks.get(id) ?? []
    this.#takeBacks.delete(id)
    for (const answer of asked) answer(done)
  }

  answered(id: string, outcome: CommandOutcome): void {
    const entry = this.#entries.get(id)
    if (entry) this.#settle(entry, outcome)
  }

  /** Nothing is given any more; what lies in a lasting outbox is for the next visit. */
  close(why: Problem): void {
    this.#over = why
    for (const id of this.#takeBacks.keys()) this.tookBack(id, false)
    for (const { waiters } of this.#entries.values()) {
      for (const answer of waiters) answer({ ok: false, problem: why })
    }
    this.#entries.clear()
  }

  async #store(entry: Entry): Promise<void> {
    try {
      await this.#ports.outbox.put(entry.command)
    } catch {
      // A full or broken disk: the command is still sent, it only would not survive the tab.
    }
    const { id } = entry.command
    if (this.#entries.get(id) !== entry) return this.#over ? undefined : this.#forget(id)
    entry.phase = this.#ports.post({ t: 'command', command: entry.command }) ? 'given' : 'kept'
  }

  #abort(entry: Entry): void {
    const { id } = entry.command
    if (this.#entries.get(id) !== entry) return
    if (entry.phase !== 'given') return this.#settle(entry, { ok: false, problem: takenBack() })
    entry.givenUp = true
    // The leader answers whether it was taken back; without one nobody knows whether it was sent.
    if (this.#ports.post({ t: 'abort', id })) return
    const unknown = unreachable('Waiting for the answer was given up; the command may be carried out all the same.')
    this.#settle(entry, { ok: false, problem: unknown })
  }

  #settle(entry: Entry, outcome: CommandOutcome): void {
    const { id } = entry.command
    this.#entries.delete(id)
    // The leader has removed what was answered; where outboxes are not shared, it had another one.
    if (!entry.givenUp) this.#forget(id)
    for (const answer of entry.waiters) answer(outcome)
    this.#ports.changed()
  }

  #forget(id: string): void {
    this.#ports.outbox.remove(id).catch(() => {
      // It is sent once more after the next start, and answered as it was.
    })
  }
}
