import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { startGauge } from './processor-time.ts'
import { failedSample, type Sample } from './sample.ts'
import type { Cell, Contender } from './scenario.ts'
import { type Bench, Unavailable } from './subject.ts'

// Contenders of a cell take turns: first sample of each, then second of each, and so on, so that a slow minute of the
// machine falls on all of them. A sample counts when little else ran meanwhile; otherwise it is taken again.

/** A sample is discarded when foreign processes use more than this share of one processor during its window. */
export const maxForeignShare = 0.16
/** How long a look at the machine lasts before a sample is begun. */
const lookMs = 250

export interface RoundsPlan {
  repeats: number
  /** Attempts at one sample; after the last the quietest is kept, noisy as it may be. */
  attempts: number
  /** When the machine has not come to rest by then, the sample is taken all the same. */
  maxQuietWaitMs: number
  /** By performance.now(): no further sample is begun after it. */
  endMs: number
  scratch: string
  /** Holds a directory of CPU profiles for each contender of a cell; undefined: nothing is profiled. */
  profileDir: string | undefined
  /** Told of each sample as it is taken. */
  progress: (text: string) => void
}

export interface ContenderResult {
  name: string
  references: readonly string[]
  /** One for each round that it took part in. */
  samples: readonly Sample[]
  /** Samples thrown away for noise. */
  discarded: number
  /** Why it could not be measured at all, or not to the end. */
  absent: string | undefined
}

export interface CellResult {
  label: string
  contenders: readonly ContenderResult[]
}

type Progress = {
  contender: Contender
  samples: Sample[]
  discarded: number
  absent: string | undefined
}

const interrupted = 'interrupted'

/** What is the same for all samples. */
export type Machinery = Omit<Bench, 'scratch' | 'profileDir'>

/** Measures all contenders of a cell in turns. Never throws for what a contender does: that becomes a fault of it. */
export async function measureCell(cell: Cell, bench: Machinery, plan: RoundsPlan): Promise<CellResult> {
  const states: Progress[] = cell.contenders.map((contender) => ({
    contender,
    samples: [],
    discarded: 0,
    absent: undefined,
  }))
  for (let round = 1; round <= plan.repeats; round++) {
    for (const state of states) {
      if (state.absent !== undefined) continue
      if (bench.signal.aborted || performance.now() > plan.endMs) {
        state.absent = bench.signal.aborted ? interrupted : 'the time given was over'
        continue
      }
      await takeSample(state, bench, plan, `${cell.label} ${state.contender.name}`)
      plan.progress(`${cell.label} · ${state.contender.name} · ${round}/${plan.repeats}${noteOf(state)}`)
    }
  }
  return {
    label: cell.label,
    contenders: states.map(({ contender, samples, discarded, absent }) => ({
      name: contender.name,
      references: contender.references,
      samples,
      discarded,
      absent,
    })),
  }
}

async function takeSample(state: Progress, bench: Machinery, plan: RoundsPlan, place: string): Promise<void> {
  let quietest: Sample | undefined
  const profileDir =
    plan.profileDir === undefined ? undefined : join(plan.profileDir, place.replace(/[^a-z0-9]+/gi, '-'))
  if (profileDir !== undefined) await mkdir(profileDir, { recursive: true })
  for (let attempt = 1; attempt <= plan.attempts; attempt++) {
    await waitForQuiet(plan.maxQuietWaitMs, bench.signal)
    const sample = await attemptSample(state, { ...bench, profileDir }, plan.scratch)
    if (sample === undefined) return
    if (quietest === undefined || sample.foreignShare < quietest.foreignShare) quietest = sample
    if (sample.foreignShare <= maxForeignShare || bench.signal.aborted) break
    if (attempt < plan.attempts) state.discarded++
  }
  if (quietest === undefined) return
  state.samples.push(quietest)
}

async function attemptSample(
  state: Progress,
  bench: Omit<Bench, 'scratch'>,
  root: string,
): Promise<Sample | undefined> {
  const scratch = await mkdtemp(join(root, 'sample-'))
  try {
    return await state.contender.measure({ ...bench, scratch })
  } catch (error) {
    if (bench.signal.aborted) {
      state.absent = interrupted
      return undefined
    }
    if (error instanceof Unavailable) {
      state.absent = error.message
      return undefined
    }
    return failedSample(error instanceof Error ? error.message : String(error))
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function waitForQuiet(maxWaitMs: number, signal: AbortSignal): Promise<void> {
  const end = performance.now() + maxWaitMs
  while (performance.now() < end && !signal.aborted) {
    const gauge = startGauge([])
    await new Promise((resolve) => setTimeout(resolve, lookMs))
    if (gauge.read().foreignShare <= maxForeignShare) return
  }
}

function noteOf(state: Progress): string {
  const faults = state.samples.at(-1)?.faults ?? []
  if (state.absent !== undefined) return ` · left out: ${state.absent}`
  return faults.length > 0 ? ` · FAULTS: ${faults.join('; ')}` : ''
}
