import { dialectArguments } from './dialects.ts'
import { toFlags } from './flags.ts'
import { type Measured, measureChild } from './sample.ts'
import { type Bench, programPath, type RunningSubject } from './subject.ts'

/** What the load process is to do; see bench/load/options.h. */
export interface LoadPlan {
  mode: 'saturate' | 'paced' | 'storm' | 'idle'
  clients: number
  warmupMs: number
  windowMs: number
  /** Saturate: broadcasts in flight. */
  window?: number
  /** Paced: events published a second. */
  rate?: number
  /** Storm: events that a newcomer must get before it is live. */
  replay?: number
  /** Subscribers that stop reading once they are live, and whether they read the rest at the end. */
  stalled?: number
  wake?: boolean
  /** Idle: how long the connections are held. */
  holdMs?: number
  /** How long to wait for what is on its way after the last publish, and again for stalled readers. */
  drainMs?: number
}

/** Far more than a server that works needs to deliver what is on its way. */
const defaultDrainMs = 5_000
/** For connecting; when all of it is over the load process ends itself. */
const connectMs = 20_000

function longestMs(plan: LoadPlan): number {
  return connectMs + plan.warmupMs + plan.windowMs + (plan.holdMs ?? 0) + 2 * (plan.drainMs ?? defaultDrainMs)
}

/** The flags of the load process for one run. */
export function loadArguments(plan: LoadPlan, subject: RunningSubject): string[] {
  return [
    ...toFlags({
      port: subject.port,
      mode: plan.mode,
      clients: plan.clients,
      'warmup-ms': plan.warmupMs,
      'window-ms': plan.windowMs,
      'drain-ms': plan.drainMs ?? defaultDrainMs,
      'deadline-ms': longestMs(plan),
      window: plan.window,
      rate: plan.rate,
      replay: plan.replay,
      stalled: plan.stalled,
      'hold-ms': plan.holdMs,
    }),
    ...(plan.wake === true ? ['--wake'] : []),
    ...dialectArguments(subject.dialect),
  ]
}

/** Runs the load process against a subject to its result. Throws `Unavailable` where it could not be compiled. */
export async function runLoad(bench: Bench, subject: RunningSubject, plan: LoadPlan): Promise<Measured> {
  return await measureChild({
    command: programPath(bench.programs.wsload),
    arguments: loadArguments(plan, subject),
    cpu: bench.loadCpu,
    signal: bench.signal,
    watched: subject.pids,
    expectedMs: longestMs(plan),
  })
}
