import type { CommandOutcome } from '@hotline/client/link'
import { uuidV7 } from '@hotline/client/uuid'
import * as fc from 'fast-check'
import { expect } from 'vitest'
import {
  asksMax,
  at,
  Checked,
  decisionOf,
  downs,
  minute,
  type Model,
  type ModelApproval,
  second,
  type Verdict,
  verdicts,
  anyOf,
  anyone,
  whoOf,
} from './model.ts'
import { type Entry, outcomeOf } from './ledger.ts'
import { Race, rivals } from './race.ts'
import { approvalTimeoutMs, type Scene } from './scene.ts'
import { openMax } from './stage.ts'

/** What people have at least after the server was away. */
const graceMs = 10 * minute

/** A history begins with an agent that has asked twice. */
export async function beginModel(scene: Scene): Promise<Model> {
  const model: Model = { status: 'active', pausedMs: 0, isAway: false, approvals: [] }
  for (const forMs of [30 * second, 80 * second]) await new Ask(forMs).act(model, scene)
  return model
}

const outcomes = { allow: 'allowed', deny: 'denied', modify: 'allowed_modified' } as const

class Ask extends Checked {
  readonly #forMs: number
  constructor(forMs: number) {
    super()
    this.#forMs = forMs
  }
  check({ approvals, isAway }: Model): boolean {
    return !isAway && approvals.length < asksMax
  }
  async act(model: Model, scene: Scene): Promise<void> {
    const requestedMs = scene.nowMs
    await scene.ask(this.#forMs)
    const isForced = this.#forMs < approvalTimeoutMs
    const isOpen = model.approvals.filter(({ outcome }) => outcome === undefined).length < openMax
    const untilMs = requestedMs + Math.min(this.#forMs, approvalTimeoutMs)
    const expiresMs = isOpen || isForced ? untilMs : Infinity
    model.approvals.push({ openedMs: isOpen ? requestedMs : undefined, expiresMs, isForced })
  }
  toString(): string {
    return `ask for ${this.#forMs / second} s`
  }
}

class Decide extends Checked {
  readonly #who: number
  readonly #which: number
  readonly #verdict: Verdict
  readonly #shown: 'it' | 'another' | 'nothing'
  constructor(who: number, which: number, verdict: Verdict, shown: 'it' | 'another' | 'nothing') {
    super()
    this.#who = who
    this.#which = which
    this.#verdict = verdict
    this.#shown = shown
  }
  check({ approvals }: Model): boolean {
    return approvals.length > 0
  }
  async act(model: Model, scene: Scene): Promise<void> {
    const known = at(model.approvals, this.#which)
    const asked = at(scene.asked, this.#which)
    const another = at(scene.asked, this.#which + 1).digest
    const digest = { it: asked.digest, another, nothing: '0'.repeat(64) }[this.#shown]
    const answer = await scene.decide(whoOf(scene, this.#who), decisionOf(asked, this.#verdict, digest))
    expect(expectedOf(known, digest === asked.digest, scene)).toContain(codeOf(answer))
    if (answer.ok) known.outcome = outcomes[this.#verdict]
  }
  toString(): string {
    const who = this.#who === 0 ? 'dana' : 'eli'
    return `${who}: ${this.#verdict} ${this.#which}, was shown ${this.#shown}`
  }
}

function codeOf(answer: CommandOutcome): string {
  return answer.ok ? 'ok' : answer.problem.code
}

/** More than one where it is over in this very moment. */
function expectedOf({ outcome, openedMs, expiresMs }: ModelApproval, isRight: boolean, { nowMs }: Scene): string[] {
  if (outcome === 'timed_out' || outcome === 'cancelled') return ['approval_expired']
  if (outcome !== undefined) return ['already_resolved']
  if (openedMs !== undefined) return [isRight ? 'ok' : 'digest_mismatch']
  return expiresMs <= nowMs ? ['invalid_transition', 'approval_expired'] : ['invalid_transition']
}

class Cancel extends Checked {
  readonly #which: number
  constructor(which: number) {
    super()
    this.#which = which
  }
  check({ approvals, isAway }: Model): boolean {
    return !isAway && approvals.length > 0
  }
  async act(model: Model, scene: Scene): Promise<void> {
    const { approval } = at(scene.asked, this.#which)
    const known = at(model.approvals, this.#which)
    await scene.agent.report({ type: 'approval.cancelled', data: { approval, reason: 'agent_withdrew' } })
    known.outcome ??= 'cancelled'
  }
  toString(): string {
    return `the agent withdraws ${this.#which}`
  }
}

/** Somebody does it, of one of them. */
abstract class Taken extends Checked {
  protected readonly who: number
  protected readonly which: number
  constructor(who: number, which: number) {
    super()
    this.who = who
    this.which = which
  }
}

class Recall extends Taken {
  check({ approvals }: Model): boolean {
    return approvals.length > 0
  }
  async act(_: Model, scene: Scene): Promise<void> {
    const { entries } = await scene.settle()
    // Where there is something to be won, that is tried.
    const inTime = scene.asked.filter(({ approval }) => recallOf(entries.get(approval)) === 'ok')
    const { approval } = at(inTime.length > 0 ? inTime : scene.asked, this.which)
    const answer = await whoOf(scene, this.who).say(uuidV7(), scene.agent.stream, 'approval.recall', { approval })
    expect(codeOf(answer)).toBe(recallOf(entries.get(approval)))
  }
  toString(): string {
    return `${this.who === 0 ? 'dana' : 'eli'} takes ${this.which} back`
  }
}

/** Somebody allows what the machine, being away, does not hear, and takes it back. */
class AllowAndRecall extends Taken {
  check({ isAway, ...model }: Model): boolean {
    return !isAway && seen(model).length > 0
  }
  async act(model: Model, scene: Scene): Promise<void> {
    await new Line('leave').act(model, scene)
    await new Decide(this.who, at(seen(model), this.which), 'allow', 'it').act(model, scene)
    await new Recall(this.who, this.which).act(model, scene)
    await new Line('come back').act(model, scene)
  }
  toString(): string {
    return `the machine is away, one that is open is allowed and taken back by ${this.who === 0 ? 'dana' : 'eli'}`
  }
}

/** It counts while nothing has said what became of an allowance, and once. */
function recallOf(entry: Entry | undefined): string {
  const [end] = entry?.ends ?? []
  if (!entry || !end) return 'invalid_transition'
  if (end.type === 'approval.cancelled' || entry.handed.length > 0) return 'already_resolved'
  if (!outcomeOf(end).startsWith('allowed')) return 'invalid_transition'
  return entry.isRecalled ? 'already_resolved' : 'ok'
}

class Extend extends Checked {
  readonly #who: number
  readonly #which: number
  readonly #byMs: number
  constructor(who: number, which: number, byMs: number) {
    super()
    this.#who = who
    this.#which = which
    this.#byMs = byMs
  }
  check({ approvals }: Model): boolean {
    return approvals.length > 0
  }
  async act(model: Model, scene: Scene): Promise<void> {
    const { approval } = at(scene.asked, this.#which)
    const known = at(model.approvals, this.#which)
    const untilMs = (known.openedMs === undefined ? scene.nowMs : known.expiresMs) + this.#byMs
    const data = { approval, until: new Date(untilMs).toISOString() }
    const answer = await whoOf(scene, this.#who).say(uuidV7(), scene.agent.stream, 'approval.extend', data)
    const extended = this.#byMs <= 0 ? 'invalid_request' : known.isForced ? 'unsupported' : 'ok'
    const expected = expectedOf(known, true, scene).map((code) => (code === 'ok' ? extended : code))
    expect(expected).toContain(codeOf(answer))
    if (answer.ok) known.expiresMs = untilMs
  }
  toString(): string {
    return `${this.#byMs / second} s more for ${this.#which}`
  }
}

class Pause extends Checked {
  check({ status, isAway }: Model): boolean {
    return status === 'active' && !isAway
  }
  async act(model: Model, scene: Scene): Promise<void> {
    model.status = 'paused'
    model.pausedMs = scene.nowMs
    const change = { from: 'active', to: 'paused', reason: 'requested' }
    await scene.agent.report({ type: 'session.state_changed', data: change, body: {} })
  }
  toString(): string {
    return 'pause'
  }
}

class Resume extends Checked {
  check({ status, isAway }: Model): boolean {
    return status === 'paused' && !isAway
  }
  async act(model: Model, scene: Scene): Promise<void> {
    model.status = 'active'
    for (const one of model.approvals) {
      if (one.outcome !== undefined || one.openedMs === undefined) continue
      one.expiresMs += scene.nowMs - Math.max(model.pausedMs, one.openedMs)
    }
    const change = { from: 'paused', to: 'active', reason: 'requested' }
    await scene.agent.report({ type: 'session.state_changed', data: change, body: {} })
  }
  toString(): string {
    return 'go on'
  }
}

class Pass extends Checked {
  readonly #ms: number
  constructor(ms: number) {
    super()
    this.#ms = ms
  }
  check(): boolean {
    return true
  }
  act(_: Model, scene: Scene): Promise<void> {
    return scene.pass(this.#ms)
  }
  toString(): string {
    return `${this.#ms / second} s pass`
  }
}

/** Those of the model that people see, by their places in it. */
function seen({ approvals }: Pick<Model, 'approvals'>): number[] {
  return approvals.flatMap(({ outcome, openedMs }, index) =>
    outcome === undefined && openedMs !== undefined ? [index] : [],
  )
}

/** Those that were open then, and whose time ran, have it back, and ten minutes at least: what exactly, the log says. */
async function giveBack(model: Model, scene: Scene, open: readonly number[]): Promise<void> {
  if (model.status === 'paused') return
  // The clock may have been helped on a little until the server looked.
  const leastMs = scene.nowMs + graceMs - minute
  await scene.haveTime(
    open.map((index) => at(scene.asked, index).approval),
    leastMs,
  )
  const { entries } = await scene.settle()
  for (const index of open) {
    const one = at(model.approvals, index)
    const expiresMs = entries.get(at(scene.asked, index).approval)?.expiresMs ?? 0
    if (one.outcome === undefined) expect(expiresMs).toBeGreaterThanOrEqual(leastMs)
    // Who answered at once was given time as well.
    expect(expiresMs).toBeGreaterThanOrEqual(one.expiresMs)
    one.expiresMs = expiresMs
  }
}

class Sleep extends Checked {
  readonly #ms: number
  readonly #eager: { who: number; which: number } | undefined
  constructor(ms: number, eager?: { who: number; which: number }) {
    super()
    this.#ms = ms
    this.#eager = eager
  }
  check({ approvals }: Model): boolean {
    return this.#eager === undefined || approvals.length > 0
  }
  async act(model: Model, scene: Scene): Promise<void> {
    const open = seen(model)
    await scene.sleep(this.#ms, async () => {
      if (this.#eager) await new Decide(this.#eager.who, this.#eager.which, 'deny', 'it').act(model, scene)
    })
    await giveBack(model, scene, open)
  }
  toString(): string {
    const eager = this.#eager ? `, and at once ${this.#eager.which} is denied` : ''
    return `the server's machine sleeps for ${this.#ms / minute} min${eager}`
  }
}

class Crash extends Checked {
  readonly #downMs: number
  constructor(downMs: number) {
    super()
    this.#downMs = downMs
  }
  check(): boolean {
    return true
  }
  async act(model: Model, scene: Scene): Promise<void> {
    const open = seen(model)
    await scene.stage.crash(this.#downMs)
    if (this.#downMs > minute) await giveBack(model, scene, open)
  }
  toString(): string {
    return `the server crashes and is away for ${this.#downMs / second} s`
  }
}

class Line extends Checked {
  readonly #what: 'cut' | 'leave' | 'come back'
  constructor(what: 'cut' | 'leave' | 'come back') {
    super()
    this.#what = what
  }
  check({ isAway }: Model): boolean {
    return isAway === (this.#what === 'come back')
  }
  async act(model: Model, { agent }: Scene): Promise<void> {
    model.isAway = this.#what === 'leave'
    if (this.#what === 'cut') agent.cut()
    else if (this.#what === 'leave') agent.leave()
    else agent.comeBack()
  }
  toString(): string {
    return `the line of the machine: ${this.#what}`
  }
}

class Restart extends Checked {
  readonly #agent: 'kept' | 'gone'
  constructor(agent: 'kept' | 'gone') {
    super()
    this.#agent = agent
  }
  check({ isAway }: Model): boolean {
    return !isAway
  }
  async act(model: Model, scene: Scene): Promise<void> {
    await scene.agent.restart(this.#agent)
    if (this.#agent === 'kept') return
    for (const one of model.approvals) one.outcome ??= 'cancelled'
    model.status = 'active'
    await scene.settle()
    const { dana } = scene.stage
    expect(await dana.say(uuidV7(), scene.agent.stream, 'session.resume', {})).toMatchObject({ ok: true })
    await scene.agent.resume()
  }
  toString(): string {
    return `the machine is killed, its agent ${this.#agent}`
  }
}

/** Everything that may happen to approvals, as often as it makes good histories. */
export const steps = [
  fc.integer({ min: 5, max: 90 }).map((seconds) => new Ask(seconds * second)),
  fc.integer({ min: 20, max: 90 }).map((seconds) => new Ask(seconds * second)),
  fc
    .tuple(
      anyone,
      anyOf,
      verdicts,
      fc.constantFrom('it' as const, 'it' as const, 'it' as const, 'another' as const, 'nothing' as const),
    )
    .map((of) => new Decide(...of)),
  fc.tuple(anyone, anyOf, verdicts).map(([by, of, verdict]) => new Decide(by, of, verdict, 'it')),
  anyOf.map((of) => new Cancel(of)),
  fc.tuple(anyone, anyOf).map((of) => new Recall(...of)),
  fc.tuple(anyone, anyOf).map((of) => new AllowAndRecall(...of)),
  fc
    .tuple(anyone, anyOf, fc.integer({ min: -20, max: 60 }))
    .map(([by, of, seconds]) => new Extend(by, of, seconds * second)),
  fc.constant(new Pause()),
  fc.constant(new Resume()),
  fc.integer({ min: 1, max: 40 }).map((seconds) => new Pass(seconds * second)),
  fc.integer({ min: 2, max: 30 }).map((minutes) => new Sleep(minutes * minute)),
  fc
    .tuple(fc.integer({ min: 2, max: 30 }), anyone, anyOf)
    .map(([minutes, by, of]) => new Sleep(minutes * minute, { who: by, which: of })),
  downs.map((ms) => new Crash(ms)),
  fc
    .constantFrom('cut' as const, 'leave' as const, 'come back' as const, 'come back' as const)
    .map((what) => new Line(what)),
  fc.constantFrom('kept' as const, 'gone' as const).map((agent) => new Restart(agent)),
  fc.tuple(anyOf, rivals).map(([of, list]) => new Race(of, list)),
  fc.tuple(anyOf, rivals).map(([of, list]) => new Race(of, list)),
]
