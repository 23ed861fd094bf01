import { markNow, type ProcessMark } from '../process/process-table.ts'
import type { Reporter } from './reporter.ts'

/** The turn that an agent is in, if any, and what of people's words its model has seen. */
export class RunningTurn {
  readonly #reporter: Reporter
  #turn: { turn: string; message: string | undefined; isSeen: boolean; since: ProcessMark } | undefined
  /** Said into the turn; the model has them, and has not said anything since. */
  #heard: string[] = []

  constructor(reporter: Reporter) {
    this.#reporter = reporter
  }

  /** Its name. */
  get now(): string | undefined {
    return this.#turn?.turn
  }

  /** When it began, as the kernel counts: what a program of this turn has begun after. */
  get since(): ProcessMark {
    return this.#turn?.since ?? markNow()
  }

  /** `message`: what it answers to, where it answers to a person. */
  begin(turn: string, message?: string): void {
    this.#turn = { turn, message, isSeen: false, since: markNow() }
  }

  end(): void {
    this.#turn = undefined
  }

  /** The model has what was said into the turn. */
  heard(message: string): void {
    this.#heard.push(message)
  }

  /** The agent does something: it has read what it was given. */
  stirs(): void {
    for (const message of this.#heard.splice(0)) this.#seen(message)
    if (!this.#turn || this.#turn.isSeen) return
    this.#turn.isSeen = true
    const { message } = this.#turn
    if (message !== undefined) this.#seen(message)
  }

  #seen(message: string): void {
    this.#reporter.put({ type: 'message.seen', data: { message } })
  }
}
