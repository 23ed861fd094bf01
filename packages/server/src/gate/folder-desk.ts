import { randomUUID } from 'node:crypto'
import { type Problem, problem } from '@hotline/protocol/error'
import type { FolderAnswer, FolderView } from '@hotline/protocol/place'
import type { Principal } from '../access/principal.ts'
import type { Clock } from '../machine/clock.ts'
import { nothingHere } from '../session/outcome.ts'
import type { Connections } from './connections.ts'

/** Looking at a large repository takes its time; whoever waits longer is told that nothing came. */
const answerMs = 25_000
/** Questions that are open at once, of everybody and of one. */
const openMax = 200
const openPerSender = 4

interface Open {
  runner: string
  sender: string
  answer: (outcome: Outcome) => void
}

type Outcome = { ok: true; view: FolderView } | { ok: false; problem: Problem }

/** What a folder of a machine is like, asked before something is started there. Nothing of it is kept. */
export class FolderDesk implements Disposable {
  readonly #connections: Connections
  readonly #clock: Clock
  readonly #open = new Map<string, Open>()

  constructor({ connections, clock }: { connections: Connections; clock: Clock }) {
    this.#connections = connections
    this.#clock = clock
  }

  /** Asks a machine; one that does not work for the project is as if it were not there. */
  async ask(
    sender: Principal,
    { runner, ...question }: { runner: string; project: string; agent: string; folder: string },
  ): Promise<Outcome> {
    const connection = this.#connections.of('runner').find(({ principal }) => principal.id === runner)
    const { projects } = connection?.principal ?? {}
    if (!connection || (projects && !projects.includes(question.project))) return { ok: false, problem: nothingHere() }
    const own = [...this.#open.values()].filter((open) => open.sender === sender.id).length
    if (this.#open.size >= openMax || own >= openPerSender) {
      return { ok: false, problem: problem('rate_limited', 'Too many folders are being looked at. Try again soon.') }
    }
    const ask = randomUUID()
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    const late = { ok: false, problem: problem('unreachable', 'The machine did not answer in time.') } as const
    const cancel = this.#clock.after(answerMs, () => resolve(late))
    this.#open.set(ask, { runner, sender: sender.id, answer: resolve })
    try {
      const { agent, folder } = question
      if (!connection.whisper({ kind: 'folder', ask, agent, folder })) return late
      return await promise
    } finally {
      cancel()
      this.#open.delete(ask)
    }
  }

  /** What a machine says; answers whether anybody still waited for it. */
  take(runner: Principal, { ask, view, why }: FolderAnswer): boolean {
    const open = this.#open.get(ask)
    if (open?.runner !== runner.id) return false
    const detail = why ?? 'The machine could not look at the folder.'
    open.answer(view ? { ok: true, view } : { ok: false, problem: problem('invalid_request', detail) })
    return true
  }

  [Symbol.dispose](): void {
    const gone = {
      ok: false,
      problem: problem('draining', 'The server is going down. Come back in a moment.'),
    } as const
    for (const { answer } of this.#open.values()) answer(gone)
  }
}
