import type { CommandInput } from '@hotline/protocol/command'
import * as fc from 'fast-check'
import { expect } from 'vitest'
import { type Ledger, outcomeOf } from './ledger.ts'
import type { AskedOf, Scene } from './scene.ts'
import type { Approver } from './stage.ts'

/** An approval as the model has it: in the order in which they were asked. */
export interface ModelApproval {
  /** As a refusal says it; absent while it is open. */
  outcome?: string
  /** When its time is over; never, while it waits for its turn and its agent does not say so. */
  expiresMs: number
  /** Since when people see it; undefined while it waits for its turn. */
  openedMs: number | undefined
  /** Its agent waits no longer than it had said at first, and nobody can give it more. */
  isForced: boolean
}

/** What should be true, by the plainest rules. */
export interface Model {
  status: 'active' | 'paused'
  pausedMs: number
  isAway: boolean
  approvals: ModelApproval[]
}

type Step = fc.AsyncCommand<Model, Scene>
export type Verdict = CommandInput<'approval.decide'>['verdict']

export const second = 1_000
export const minute = 60 * second
/** Of one session; more are refused, which is another test's matter. */
export const asksMax = 12

/** Picks one of those that there are. */
export function at<T>(list: readonly T[], index: number): T {
  return list[index % list.length] as T
}

export function whoOf({ stage }: Scene, who: number): Approver {
  return who === 0 ? stage.dana : stage.eli
}

export function decisionOf(asked: AskedOf, verdict: Verdict, digest: string): CommandInput<'approval.decide'> {
  const change = verdict === 'modify' ? { input: JSON.stringify({ command: 'npm test' }) } : {}
  return { approval: asked.approval, digest, verdict, ...change }
}

/** After every step all that must hold is looked at, and the times that the log says are those of the model. */
export abstract class Checked implements Step {
  abstract check(model: Readonly<Model>): boolean
  abstract act(model: Model, scene: Scene): Promise<void>
  abstract toString(): string

  async run(model: Model, scene: Scene): Promise<void> {
    await this.act(model, scene)
    await settleWith(model, scene)
  }
}

async function settleWith(model: Model, scene: Scene): Promise<void> {
  const ledger = await scene.settle()
  const { entries } = ledger
  comeUp(model, scene, ledger)
  if (model.status === 'active') {
    for (const one of model.approvals) {
      if (one.outcome === undefined && one.expiresMs <= scene.nowMs) one.outcome = 'timed_out'
    }
  }
  const told = scene.asked.map(({ approval }) => {
    const entry = entries.get(approval)
    const [end] = entry?.ends ?? []
    return { outcome: end && outcomeOf(end), expiresMs: entry?.expiresMs }
  })
  expect(told).toEqual(model.approvals.map(({ outcome, expiresMs }) => ({ outcome, expiresMs })))
}

/** Those whose turn has come are open. That it was their turn, and what time they have, the ledger looks at; when, it says. */
export function comeUp({ approvals }: Model, scene: Scene, { entries }: Ledger): void {
  for (const [index, one] of approvals.entries()) {
    const entry = entries.get(at(scene.asked, index).approval)
    if (one.openedMs !== undefined || entry?.openedMs === undefined) continue
    one.openedMs = entry.openedMs
    one.expiresMs = entry.expiresMs
  }
}

/** Who answers: the one or the other. */
export const anyone = fc.nat(1)
/** Which of those that were asked. */
export const anyOf = fc.nat(asksMax - 1)
export const verdicts = fc.constantFrom<Verdict[]>('allow', 'deny', 'modify')
/** For how long the server is away. */
export const downs = fc.constantFrom(0, 5 * second, 2 * minute, 30 * minute)
