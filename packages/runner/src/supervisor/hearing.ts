import type { OutputSource } from '@hotline/protocol/events/output'
import type { Mark, Told } from '../spool/told.ts'

/** Bytes of the agent's output, events of its last line that were dealt with, reports that came of the next event. */
type Position = NonNullable<Mark['heard']>

/**
 * Where in what the agent says the reports come from, and which of them an earlier life has made: when its conversation is
 * gone through once more, the same lines give the same events, and these the same reports, in the same order.
 */
export class Hearing {
  readonly #told: Told | undefined
  #at = 0
  #events = 0
  #reports = 0
  #isHearing = false

  constructor(told: Told | undefined) {
    this.#told = told
  }

  /** How far it is now. */
  get position(): Position {
    return [this.#at, this.#events, this.#reports]
  }

  /** An event that came of what the agent said up to this byte; undefined for one that did not. */
  begin(at: number | undefined): void {
    this.#isHearing = at !== undefined
    if (at === undefined) return
    if (at !== this.#at) this.#events = 0
    this.#at = at
    this.#reports = 0
  }

  /** The event is dealt with. */
  end(): void {
    if (!this.#isHearing) return
    this.#isHearing = false
    this.#events += 1
    this.#reports = 0
  }

  /** To be asked once for each report that something said brings about at once. */
  isReportTold(): boolean {
    if (!this.#isHearing) return false
    this.#reports += 1
    return this.#told !== undefined && !isBefore(this.#told.heard, this.position)
  }

  /** The characters of a text that begins now which were reported. */
  toldChars(id: string): number {
    if (!this.#told) return 0
    const { text, heard } = this.#told
    if (text?.[0] === id) return text[1]
    const [at, events] = heard
    // Of what was heard whole, every text was reported to its end, but for the one that was open.
    const isWhole = this.#at < at || (this.#at === at && this.#events < events)
    return this.#isHearing && isWhole ? Number.POSITIVE_INFINITY : 0
  }

  isProgressTold(): boolean {
    return this.#told !== undefined && this.#isHearing && isBefore(this.position, this.#told.progress)
  }

  isOutputTold(source: OutputSource, at: number | undefined): boolean {
    const told = this.#told?.outputs[source]
    return at !== undefined && told !== undefined && at <= told
  }
}

function isBefore(a: Position, b: Position): boolean {
  for (const [index, value] of a.entries()) {
    const other = b[index] ?? 0
    if (value !== other) return value < other
  }
  return false
}
