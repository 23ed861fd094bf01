import { fileURLToPath } from 'node:url'
import { type Child, type ChildOptions, type Line, startChild, textOf } from './child.ts'
import { startGauge, type Use } from './processor-time.ts'
import type { Bench } from './subject.ts'

/** One measurement of one contender. */
export interface Sample {
  /** By the keys of the scenario's metrics; a metric that makes no sense here is left out. */
  values: Readonly<Record<string, number>>
  /** What must not happen: gaps, duplicates, refusals. Empty while all is well. */
  faults: readonly string[]
  /** Processor time of processes that are not ours, in processors. */
  foreignShare: number
  /** Processor time that the host took away, in processors. */
  stolenShare: number
  /** Processor time of the load process; from 0.95 on it may be the limit. */
  loadShare: number
}

/** The last line of a child that announced its window, and what the machine did in that window. */
export interface Measured {
  result: Line
  use: Use
}

/** A child says nothing while it measures; this is on top of the time that it was asked to measure. */
const graceMs = 30_000

/**
 * Follows a child through `window` and `stop` to its result. `watched`: the pids whose time counts as the server's;
 * `entered`: told of each phase as it begins.
 */
export async function followChild(
  child: Child,
  watched: readonly number[],
  expectedMs: number,
  entered: (phase: string) => void = () => undefined,
): Promise<Measured> {
  let gauge = startGauge(watched)
  let use = gauge.read()
  for (;;) {
    const line = await child.nextLine(expectedMs + graceMs)
    const phase = textOf(line, 'phase')
    entered(phase)
    switch (phase) {
      case 'window':
        gauge = startGauge(watched)
        break
      case 'stop':
        use = gauge.read()
        break
      case 'result':
        return { result: line, use }
    }
  }
}

/** Starts a program, follows it to its result and ends it. */
export async function measureChild(
  options: ChildOptions & { watched: readonly number[]; expectedMs: number; entered?: (phase: string) => void },
): Promise<Measured> {
  await using child = startChild(options)
  return await followChild(child, options.watched, options.expectedMs, options.entered)
}

/** What went wrong by the load process's own count. */
export function faultsOf(result: Line): string[] {
  const faults = ['gaps', 'dups', 'rangeFaults', 'missing'].flatMap((key) => {
    const count = result[key]
    return typeof count === 'number' && count > 0 ? [`${count} ${key}`] : []
  })
  const failure = textOf(result, 'failure')
  return failure === '' ? faults : [...faults, failure]
}

/** Sample without values, where nothing could be measured. */
export function failedSample(fault: string): Sample {
  return { values: {}, faults: [fault], foreignShare: 0, stolenShare: 0, loadShare: 0 }
}

/** The Node that runs us, for children that are ours. */
export function nodeChild(script: URL, args: readonly string[], bench: Bench): ChildOptions {
  const { serverCpu: cpu, signal, profileDir } = bench
  const profile = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`]
  return { command: process.execPath, arguments: [...profile, fileURLToPath(script), ...args], cpu, signal }
}
