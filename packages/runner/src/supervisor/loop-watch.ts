import type { Report } from '@hotline/protocol/commands/agent'
import type { AgentEvent } from '../adapters/adapter.ts'
import { sha256 } from '../sha256.ts'

/** So often the same call in a row is told; and again each time that it is as often. */
const toldEvery = 5

/** Calls that are known while they run; of more, the oldest are forgotten. */
const openMax = 256

/** Characters of a title that are told. */
const titleChars = 300

type StepEvent = Extract<AgentEvent, { t: 'step_started' | 'step_progressed' | 'step_finished' }>

interface Call {
  kind: string
  title: string
  input: unknown
}

/**
 * Notices that an agent makes the same call again and again: the same tool with the same input, with no other call between.
 * A person is told, and may hold it; nothing is done by itself, since there are good reasons to look a second time.
 */
export class LoopWatch {
  readonly #report: (report: Report) => void
  /** What is known of calls that have not ended: their input may come later than their beginning. */
  readonly #open = new Map<string, Call>()
  #last = ''
  #times = 0

  constructor(report: (report: Report) => void) {
    this.#report = report
  }

  /** A person has said something: what is done now may well be what was done before. */
  told(): void {
    this.#times = 0
  }

  /** The agent tells of a call. */
  hear(event: StepEvent): void {
    const { step } = event
    const known = this.#open.get(step)
    if (event.t === 'step_started') {
      this.#open.set(step, { kind: event.kind, title: event.title, input: event.input })
      for (const oldest of this.#open.keys()) {
        if (this.#open.size <= openMax) break
        this.#open.delete(oldest)
      }
    } else if (event.t === 'step_progressed') {
      if (known)
        this.#open.set(step, { ...known, title: event.title ?? known.title, input: event.input ?? known.input })
    } else if (known) {
      this.#open.delete(step)
      this.#ended(step, { ...known, title: event.title ?? known.title })
    }
  }

  #ended(step: string, { kind, title, input }: Call): void {
    const call = sha256(JSON.stringify([kind, input ?? title]))
    this.#times = call === this.#last ? this.#times + 1 : 1
    this.#last = call
    if (this.#times % toldEvery !== 0) return
    const shown = title.slice(0, titleChars)
    this.#report({ type: 'loop.noticed', data: { step, times: this.#times }, body: { title: shown } })
  }
}
