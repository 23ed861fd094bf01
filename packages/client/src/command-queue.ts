import type { Accepted } from '@hotline/protocol/command-answer'
import { kindOf, type Problem, localProblem } from '@hotline/protocol/error'
import { waitBefore } from './backoff.ts'
import type { SentFrame } from './carrier.ts'
import type { Clock } from './clock.ts'
import { look, takenBack, waitingMax } from './command-checks.ts'
import type { Answer } from './http-request.ts'
import type { CommandOutcome } from './link.ts'
import type { Outbox, WaitingCommand } from './outbox.ts'
import { unreachable } from './problem-of.ts'
import { type Watchable, watchable } from './readable.ts'

/** Commands that are under way at once. */
const underWayMax = 64
/** A person's connection may send 200 frames a second; commands leave room for the rest. */
const perSecond = 120

/**
 *   storing ──▶ ready ──▶ sent ──(answer)──▶ gone
 *                 ▲        │
 *                 └─ held ◀┘ (the server could not just now)
 *
 * A lost connection makes what was sent ready again: it is sent once more with the same id.
 */
type Phase = 'storing' | 'ready' | 'sent' | 'held'

interface Entry {
  command: WaitingCommand
  phase: Phase
  /** It was sent at least once: whether it happened is unknown until there is an answer. */
  everSent: boolean
  large: boolean
  /** It was sent over HTTP last, and has an answer or a failure of its own. */
  posted: boolean
  tries: number
  cancelHold?: () => void
  waiters: Set<(outcome: CommandOutcome) => void>
}

/** What the queue needs of the link. */
export interface CommandPorts {
  outbox: Outbox
  /** False where there is no connection. */
  send: (frame: SentFrame) => boolean
  /** Carries out one command over HTTP. */
  post: (command: WaitingCommand) => Promise<Answer<Accepted>>
  clock: Clock
  random: () => number
}

/**
 * Commands on their way: each is kept in the outbox until it is answered and sent again with its id after every loss, in
 * the order in which they were given. Those of one stream wait for one that had to be held back or that goes over HTTP.
 */
export class CommandQueue {
  readonly waiting: Watchable<readonly WaitingCommand[]> = watchable<readonly WaitingCommand[]>([])
  readonly #ports: CommandPorts
  #entries = new Map<string, Entry>()
  /** Answered last: their removal from the outbox may still be on its way. */
  readonly #settled = new Set<string>()
  #open = false
  #closed = false
  #restored = false
  #paced = true
  #way: 'frames' | 'requests' = 'frames'
  #tokens = perSecond
  #tokensAt = 0
  #cancelPace: (() => void) | undefined

  constructor(ports: CommandPorts) {
    this.#ports = ports
  }

  /** Takes up what another tab, which shares the outbox and is gone, has kept there and told nobody. */
  async recall(): Promise<void> {
    if (!this.#restored || this.#closed) return
    let left: readonly WaitingCommand[] = []
    try {
      left = await this.#ports.outbox.all()
    } catch {
      // It stays there for the next visit.
    }
    if (this.#closed) return
    const unknown = left.filter(({ id }) => !this.#entries.has(id) && !this.#settled.has(id))
    for (const command of unknown.slice(0, Math.max(0, waitingMax - this.#entries.size))) {
      this.#entries.set(command.id, newEntry(command, look(command).large, 'ready'))
    }
    if (unknown.length === 0) return
    this.#tell()
    this.#pump()
  }

  /** Takes up what an earlier life of the page left behind; nothing is sent before. */
  async restore(): Promise<void> {
    let left: readonly WaitingCommand[] = []
    try {
      left = await this.#ports.outbox.all()
    } catch {
      // What cannot be read cannot be sent; new commands must not suffer.
    }
    const newer = this.#entries
    this.#entries = new Map()
    for (const command of left.slice(0, waitingMax)) {
      if (!newer.has(command.id)) this.#entries.set(command.id, newEntry(command, look(command).large, 'ready'))
    }
    for (const [id, entry] of newer) this.#entries.set(id, entry)
    this.#restored = true
    if (this.#closed) return
    this.#tell()
    this.#pump()
  }

  /** The signal ends the wait; a command that was never sent is taken back. */
  give(command: WaitingCommand, signal?: AbortSignal): Promise<CommandOutcome> {
    if (signal?.aborted) return Promise.resolve(refusal(takenBack()))
    const known = this.#entries.get(command.id)
    if (!known && this.#entries.size >= waitingMax) {
      const detail = `${waitingMax} commands wait for the server already. Wait until it can be reached again.`
      return Promise.resolve(refusal(localProblem('queue_full', detail, { limit: waitingMax })))
    }
    const { whole, large } = look(command)
    if (!whole) {
      const detail = 'The text holds half of a character. Write that place anew.'
      return Promise.resolve(refusal(localProblem('invalid_request', detail)))
    }
    const entry = known ?? newEntry(command, large, 'storing')
    if (!known) {
      this.#entries.set(command.id, entry)
      this.#tell()
      void this.#store(entry)
    }
    return new Promise((resolve) => {
      const abort = (): void => {
        entry.waiters.delete(answer)
        if (entry.everSent) {
          resolve(
            refusal(unreachable('Waiting for the answer was given up; the command may be carried out all the same.')),
          )
          return
        }
        this.takeBack(command.id)
        resolve(refusal(takenBack()))
      }
      const answer = (outcome: CommandOutcome): void => {
        signal?.removeEventListener('abort', abort)
        resolve(outcome)
      }
      entry.waiters.add(answer)
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  /** Forgets a command that was never sent. False where it may have arrived, or is answered already. */
  takeBack(id: string): boolean {
    const entry = this.#entries.get(id)
    if (!entry || entry.everSent) return false
    this.#settle(entry, refusal(takenBack()))
    return true
  }

  /** `unpaced`: the connection of a runner, which speaks for many agents. `requests`: it carries no commands itself. */
  opened(pace: 'paced' | 'unpaced', way: 'frames' | 'requests'): void {
    this.#open = true
    this.#paced = pace === 'paced'
    this.#way = way
    this.#pump()
  }

  lost(): void {
    this.#open = false
    for (const entry of this.#entries.values()) {
      entry.cancelHold?.()
      if (entry.phase === 'held' || (entry.phase === 'sent' && !entry.posted)) entry.phase = 'ready'
    }
  }

  accepted(accepted: Accepted): void {
    const entry = this.#entries.get(accepted.id)
    if (entry) this.#settle(entry, { ok: true, accepted })
    this.#pump()
  }

  refused(id: string, why: Problem): void {
    const entry = this.#entries.get(id)
    if (!entry) return
    const kind = kindOf(why.code)
    // Nothing was decided: it waits a little and is sent again. Everything else is an answer.
    if (kind === 'unavailable' || kind === 'rate-limited') this.#hold(entry, why.retryAfterMs)
    else this.#settle(entry, refusal(why))
    this.#pump()
  }

  /** Whoever waits is answered; what a lasting outbox holds is sent by the next link. */
  close(): void {
    this.#open = false
    this.#closed = true
    this.#cancelPace?.()
    for (const entry of this.#entries.values()) {
      entry.cancelHold?.()
      for (const answer of entry.waiters)
        answer(refusal(unreachable('The connection was closed before an answer came.')))
    }
    this.#entries.clear()
  }

  async #store(entry: Entry): Promise<void> {
    try {
      await this.#ports.outbox.put(entry.command)
    } catch {
      // A full or broken disk: the command is still sent, it only would not survive the page.
    }
    // Closed meanwhile: what was kept is for the next link.
    if (this.#closed) return
    if (!this.#entries.has(entry.command.id)) return this.#forget(entry.command.id)
    if (entry.phase === 'storing') entry.phase = 'ready'
    this.#pump()
  }

  #pump(): void {
    if (!this.#open || !this.#restored) return
    let underWay = 0
    for (const { phase } of this.#entries.values()) if (phase === 'sent') underWay += 1
    /** Streams in which something earlier must be answered first, and those in which something is under way. */
    const barred = new Set<string>()
    const busy = new Set<string>()
    for (const entry of this.#entries.values()) {
      const { stream } = entry.command
      const alone = entry.large || this.#way === 'requests'
      if (entry.phase === 'ready' && !barred.has(stream) && !(alone && busy.has(stream))) {
        if (underWay >= underWayMax || !this.#takeToken()) return
        this.#transmit(entry)
        underWay += 1
      }
      busy.add(stream)
      if (entry.posted || entry.phase !== 'sent') barred.add(stream)
    }
  }

  #transmit(entry: Entry): void {
    entry.phase = 'sent'
    entry.everSent = true
    entry.posted = entry.large || this.#way === 'requests'
    if (!entry.posted) {
      if (!this.#ports.send({ t: 'command', ...entry.command })) entry.phase = 'ready'
      return
    }
    void this.#ports.post(entry.command).then((answer) => {
      if (answer.ok) this.accepted(answer.value)
      else this.refused(entry.command.id, answer.problem)
    })
  }

  #hold(entry: Entry, retryAfterMs: number | undefined): void {
    entry.tries += 1
    entry.phase = 'held'
    entry.cancelHold?.()
    const { waitMs } = waitBefore(entry.tries, this.#ports.random, retryAfterMs)
    entry.cancelHold = this.#ports.clock.after(waitMs, () => {
      if (entry.phase === 'held') entry.phase = 'ready'
      this.#pump()
    })
  }

  #settle(entry: Entry, outcome: CommandOutcome): void {
    entry.cancelHold?.()
    const { id } = entry.command
    if (!this.#entries.delete(id)) return
    this.#settled.add(id)
    for (const oldest of this.#settled) {
      if (this.#settled.size <= waitingMax) break
      this.#settled.delete(oldest)
    }
    this.#forget(id)
    for (const answer of entry.waiters) answer(outcome)
    this.#tell()
  }

  #forget(id: string): void {
    this.#ports.outbox.remove(id).catch(() => {
      // It is sent once more after the next start, and answered as it was.
    })
  }

  #takeToken(): boolean {
    if (!this.#paced) return true
    const { clock } = this.#ports
    const nowMs = clock.wallMs()
    const gained = Math.max(0, nowMs - this.#tokensAt) * (perSecond / 1_000)
    this.#tokens = Math.min(perSecond, this.#tokens + gained)
    this.#tokensAt = nowMs
    if (this.#tokens >= 1) {
      this.#tokens -= 1
      return true
    }
    this.#cancelPace?.()
    this.#cancelPace = clock.after(1_000 / perSecond, () => this.#pump())
    return false
  }

  #tell(): void {
    this.waiting.set([...this.#entries.values()].map(({ command }) => command))
  }
}

/** One that is ready at once was kept by an earlier life, which may have sent it. */
function newEntry(command: WaitingCommand, large: boolean, phase: 'storing' | 'ready'): Entry {
  return { command, phase, everSent: phase === 'ready', large, posted: false, tries: 0, waiters: new Set() }
}

function refusal(why: Problem): CommandOutcome {
  return { ok: false, problem: why }
}
