import type { Profile } from './options.ts'
import type { Sample } from './sample.ts'
import type { Bench } from './subject.ts'

/** Something that is measured, in one cell beside others. */
export interface Contender {
  readonly name: string
  /** Contenders of the same cell whose values its own are divided by. */
  readonly references: readonly string[]
  /** Takes one sample. Throws `Unavailable` where the machine lacks what it needs. */
  measure(bench: Bench): Promise<Sample>
}

/** One situation (so many followers, such a batch) and all who are measured in it, in turn. */
export interface Cell {
  readonly label: string
  readonly contenders: readonly Contender[]
}

export interface Metric {
  readonly key: string
  readonly title: string
  /** Digits after the point. */
  readonly digits: number
  /** Whether the table shows ratios of it. */
  readonly ratio: boolean
}

export interface Scenario {
  readonly name: string
  readonly title: string
  /** How it is measured, for the reader of the table. */
  readonly method: string
  readonly metrics: readonly Metric[]
  /** How long a sample is measured and the like, in milliseconds, by what a reader calls it. */
  durations(profile: Profile): Readonly<Record<string, number>>
  cells(profile: Profile): readonly Cell[]
}

/** The usual durations: a window after a warm-up. */
export function durationsOf({ warmupMs, windowMs }: { warmupMs: number; windowMs: number }): Record<string, number> {
  return { 'warm-up': warmupMs, window: windowMs }
}
