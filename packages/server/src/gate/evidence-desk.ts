import type { Evidence, EvidenceBody } from '@hotline/protocol/evidence'
import { holdsAgent } from '@hotline/protocol/session-status'
import { limits } from '@hotline/protocol/limits'
import type { Principal } from '../access/principal.ts'
import type { Clock } from '../machine/clock.ts'
import type { Exchange } from '../session/exchange.ts'
import type { Connections } from './connections.ts'
import type { Watchers } from './watchers.ts'

/** While somebody looks at a session its machine is asked this often. */
const askEveryMs = 3_000
/** A machine that does not answer within this is too far away to say what is true now. */
const answerMs = 2_000
/** Sessions of which the last evidence is kept, for those who ask and get no answer. */
const keptMax = 1_000

/** What it needs of the server. */
export interface EvidenceDeskPorts {
  exchange: Pick<Exchange, 'snapshot'>
  connections: Connections
  watchers: Pick<Watchers, 'watched'>
  clock: Clock
  fault: (error: unknown) => void
}

/**
 * What machines see of their agents, brought to those who look. Nothing of it is logged: a machine is asked while somebody
 * follows the session, or once where somebody asks once, and its answer is told to those who follow.
 */
export class EvidenceDesk implements Disposable {
  readonly #ports: EvidenceDeskPorts
  readonly #last = new Map<string, Evidence>()
  readonly #waiting = new Map<string, Set<(evidence: Evidence | undefined) => void>>()
  #cancel: () => void
  #isClosed = false

  constructor(ports: EvidenceDeskPorts) {
    this.#ports = ports
    this.#cancel = this.#askLater()
  }

  /** What a machine sees of what it holds; answers how many of them it does hold. */
  async take(runner: Principal, { sessions }: EvidenceBody): Promise<number> {
    let taken = 0
    for (const { session, fence, evidence } of sessions) {
      const stream = `session:${session}`
      const state = (await this.#ports.exchange.snapshot(stream))?.state
      if (state?.kind !== 'session' || state.lease?.runner !== runner.id || state.lease.fence !== fence) continue
      taken += 1
      this.#keep(stream, evidence)
      for (const answer of this.#waiting.get(stream) ?? []) answer(evidence)
      for (const connection of this.#ports.connections.all()) {
        if (connection.principal.kind === 'runner' || !connection.follows(stream)) continue
        connection.whisper({ kind: 'evidence', stream, evidence })
      }
    }
    return taken
  }

  /** What is true now, as its machine sees it; where that does not answer, undefined. */
  async ask(stream: string, withinMs = answerMs): Promise<Evidence | undefined> {
    const others = this.#waiting.get(stream)
    const answers = others ?? new Set()
    this.#waiting.set(stream, answers)
    const answered = new Promise<Evidence | undefined>((resolve) => {
      const answer = (evidence: Evidence | undefined): void => {
        cancel()
        answers.delete(answer)
        if (answers.size === 0) this.#waiting.delete(stream)
        resolve(evidence)
      }
      const cancel = this.#ports.clock.after(withinMs, () => answer(undefined))
      answers.add(answer)
    })
    // However many ask at once, the machine is asked once.
    if (!others && !(await this.#whisper([stream]))) for (const answer of answers) answer(undefined)
    return await answered
  }

  /** What was seen last, however long ago; it says when. */
  last(stream: string): Evidence | undefined {
    return this.#last.get(stream)
  }

  [Symbol.dispose](): void {
    this.#isClosed = true
    this.#cancel()
    for (const answers of this.#waiting.values()) for (const answer of answers) answer(undefined)
    this.#last.clear()
  }

  #keep(stream: string, evidence: Evidence): void {
    this.#last.delete(stream)
    this.#last.set(stream, evidence)
    const [oldest] = this.#last.keys()
    if (this.#last.size > keptMax && oldest !== undefined) this.#last.delete(oldest)
  }

  #askLater(): () => void {
    return this.#ports.clock.after(askEveryMs, () => {
      this.#whisper(this.#ports.watchers.watched().slice(0, limits.evidencePerReport))
        .catch(this.#ports.fault)
        .finally(() => {
          if (!this.#isClosed) this.#cancel = this.#askLater()
        })
    })
  }

  /** Asks the machines that hold these; answers how many sessions were asked for. */
  async #whisper(streams: readonly string[]): Promise<number> {
    const byRunner = new Map<string, string[]>()
    for (const stream of streams) {
      const state = (await this.#ports.exchange.snapshot(stream))?.state
      if (state?.kind !== 'session' || !state.lease || !holdsAgent(state.status)) continue
      const { runner } = state.lease
      byRunner.set(runner, [...(byRunner.get(runner) ?? []), stream])
    }
    if (this.#isClosed || byRunner.size === 0) return 0
    let asked = 0
    for (const connection of this.#ports.connections.of('runner')) {
      const own = byRunner.get(connection.principal.id)
      if (own && connection.whisper({ kind: 'look', streams: own })) asked += own.length
    }
    return asked
  }
}
