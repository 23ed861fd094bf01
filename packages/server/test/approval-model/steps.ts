import type { CommandOutcome } from '@hotline/client/link'
import { uuidV7 } from '@hotline/client/uuid'
import type { CommandInput } from '@hotline/protocol/command'
import * as fc from 'fast-check'
import { expect } from 'vitest'
import { outcomeOf } from './ledger.ts'
import { approvalTimeoutMs, type AskedOf, type Scene } from './scene.ts'
import type { Approver } from './stage.ts'

/** An approval as the model has it: in the order in which they were asked. */
interface ModelApproval {
  /** As a refusal says it; absent while it is open. */
  outcome?: string
  expiresMs: number
  requestedMs: number
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

/** A history begins with an agent that has asked twice. */
export async function beginModel(scene: Scene): Promise<Model> {
  const model: Model = { status: 'active', pausedMs: 0, isAway: false, approvals: [] }
  for (const forMs of [30 * second, 80 * second]) await new Ask(forMs).act(model, scene)
  return model
}

type Step = fc.AsyncCommand<Model, Scene>
type Verdict = CommandInput<'approval.decide'>['verdict']

const second = 1_000
const minute = 60 * second
/** What people have at least after the server was away. */
const graceMs = 10 * minute
/** Of one session; more are refused, which is another test's matter. */
const asksMax = 12

/** Picks one of those that there are. */
function at<T>(list: readonly T[], index: number): T {
  return list[index % list.length] as T
}

function whoOf({ stage }: Scene, who: number): Approver {
  return who === 0 ? stage.dana : stage.eli
}

function decisionOf(asked: AskedOf, verdict: Verdict, digest: string): CommandInput<'approval.decide'> {
  const change = verdict === 'modify' ? { input: JSON.stringify({ command: 'npm test' }) } : {}
  return { approval: asked.approval, digest, verdict, ...change }
}

const outcomes = { allow: 'allowed', deny: 'denied', modify: 'allowed_modified' } as const

/** After every step all that must hold is looked at, and the times that the log says are those of the model. */
abstract class Checked implements Step {
  abstract check(model: Readonly<Model>): boolean
  abstract act(model: Model, scene: Scene): Promise<void>
  abstract toString(): string

  async run(model: Model, scene: Scene): Promise<void> {
    await this.act(model, scene)
    await settleWith(model, scene)
  }
}

async function settleWith(model: Model, scene: Scene): Promise<void> {
  const { entries } = await scene.settle()
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
    model.approvals.push({ expiresMs: requestedMs + Math.min(this.#forMs, approvalTimeoutMs), requestedMs, isForced })
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
    expect(codeOf(answer)).toBe(expectedOf(known, digest === asked.digest))
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

function expectedOf({ outcome }: ModelApproval, isRight: boolean): string {
  if (outcome === 'timed_out' || outcome === 'cancelled') return 'approval_expired'
  if (outcome !== undefined) return 'already_resolved'
  return isRight ? 'ok' : 'digest_mismatch'
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
    const untilMs = known.expiresMs + this.#byMs
    const data = { approval, until: new Date(untilMs).toISOString() }
    const answer = await whoOf(scene, this.#who).say(uuidV7(), scene.agent.stream, 'approval.extend', data)
    const expected = expectedOf(known, true)
    const extended = this.#byMs <= 0 ? 'invalid_request' : known.isForced ? 'unsupported' : 'ok'
    expect(codeOf(answer)).toBe(expected === 'ok' ? extended : expected)
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
      if (one.outcome === undefined) one.expiresMs += scene.nowMs - Math.max(model.pausedMs, one.requestedMs)
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

/** Those whose time ran have it back, and ten minutes at least: what exactly, the log says. */
async function giveBack(model: Model, scene: Scene): Promise<void> {
  if (model.status === 'paused') return
  // The clock may have been helped on a little until the server looked.
  const leastMs = scene.nowMs + graceMs - minute
  await scene.haveTime(leastMs)
  const { entries } = await scene.settle()
  for (const [index, one] of model.approvals.entries()) {
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
    await scene.sleep(this.#ms, async () => {
      if (this.#eager) await new Decide(this.#eager.who, this.#eager.which, 'deny', 'it').act(model, scene)
    })
    await giveBack(model, scene)
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
    await scene.stage.crash(this.#downMs)
    if (this.#downMs > minute) await giveBack(model, scene)
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

/** What happens at once with others. The order in which they arrive is the world's. */
type Rival =
  | { do: 'decide'; who: number; verdict: Verdict; shown: 'it' | 'nothing' }
  | { do: 'extend' | 'withdraw' | 'cut' | 'let time run out' | 'kill the machine' }
  | { do: 'crash'; downMs: number }

class Race extends Checked {
  readonly #which: number
  readonly #rivals: readonly Rival[]
  constructor(which: number, rivals: readonly Rival[]) {
    super()
    this.#which = which
    this.#rivals = rivals
  }
  check({ approvals, isAway, status }: Model): boolean {
    return approvals.length > 0 && !isAway && status === 'active'
  }
  async act(model: Model, scene: Scene): Promise<void> {
    const asked = at(scene.asked, this.#which)
    const known = at(model.approvals, this.#which)
    await Promise.all(this.#rivals.map((rival) => take(rival, asked, known, scene)))
    // Who won, nobody can say before; that there is one winner, and what the losers hear, is looked at in the log.
    const { entries } = await scene.settle()
    for (const [index, one] of model.approvals.entries()) {
      const entry = entries.get(at(scene.asked, index).approval)
      one.expiresMs = entry?.expiresMs ?? 0
      const [end] = entry?.ends ?? []
      if (end && one.outcome === undefined) {
        one.outcome = outcomeOf(end)
        // Only time ends what was no part of this.
        if (one !== known) expect(one.outcome).toBe('timed_out')
      }
    }
  }
  toString(): string {
    return `at once of ${this.#which}: ${this.#rivals.map((rival) => JSON.stringify(rival)).join(' ')}`
  }
}

async function take(rival: Rival, asked: AskedOf, known: ModelApproval, scene: Scene): Promise<void> {
  const { approval } = asked
  switch (rival.do) {
    case 'decide': {
      const digest = rival.shown === 'it' ? asked.digest : '0'.repeat(64)
      await scene.decide(whoOf(scene, rival.who), decisionOf(asked, rival.verdict, digest))
      return
    }
    case 'extend': {
      const data = { approval, until: new Date(known.expiresMs + 20 * second).toISOString() }
      await scene.stage.eli.say(uuidV7(), scene.agent.stream, 'approval.extend', data)
      return
    }
    case 'withdraw':
      await scene.agent.report({ type: 'approval.cancelled', data: { approval, reason: 'agent_withdrew' } })
      return
    case 'cut':
      scene.agent.cut()
      return
    case 'let time run out':
      if (known.outcome === undefined && known.expiresMs - scene.nowMs < minute) {
        await scene.pass(Math.max(0, known.expiresMs - scene.nowMs))
      }
      return
    case 'crash':
      await scene.stage.crash(rival.downMs)
      return
    case 'kill the machine':
      await scene.agent.restart('kept')
  }
}

const who = fc.nat(1)
const which = fc.nat(asksMax - 1)
const verdicts = fc.constantFrom<Verdict[]>('allow', 'deny', 'modify')
const downs = fc.constantFrom(0, 5 * second, 2 * minute, 30 * minute)

const rivals = fc
  .uniqueArray(
    fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          do: fc.constant('decide' as const),
          who,
          verdict: verdicts,
          shown: fc.constantFrom('it' as const, 'it' as const, 'nothing' as const),
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constantFrom(
            'extend' as const,
            'withdraw' as const,
            'cut' as const,
            'let time run out' as const,
            'kill the machine' as const,
          ),
        }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const), downMs: downs }) },
    ),
    { minLength: 2, maxLength: 5, selector: (rival) => (rival.do === 'decide' ? JSON.stringify(rival) : rival.do) },
  )
  // A machine is killed with its line, and a server with the timers that one would wait for.
  .filter((list) => {
    const has = (what: Rival['do']): boolean => list.some((rival) => rival.do === what)
    return (
      !(has('kill the machine') && (has('cut') || has('crash') || has('withdraw'))) &&
      !(has('crash') && has('let time run out'))
    )
  })

/** Everything that may happen to approvals, as often as it makes good histories. */
export const steps = [
  fc.integer({ min: 5, max: 90 }).map((seconds) => new Ask(seconds * second)),
  fc.integer({ min: 20, max: 90 }).map((seconds) => new Ask(seconds * second)),
  fc
    .tuple(
      who,
      which,
      verdicts,
      fc.constantFrom('it' as const, 'it' as const, 'it' as const, 'another' as const, 'nothing' as const),
    )
    .map((of) => new Decide(...of)),
  fc.tuple(who, which, verdicts).map(([by, of, verdict]) => new Decide(by, of, verdict, 'it')),
  which.map((of) => new Cancel(of)),
  fc
    .tuple(who, which, fc.integer({ min: -20, max: 60 }))
    .map(([by, of, seconds]) => new Extend(by, of, seconds * second)),
  fc.constant(new Pause()),
  fc.constant(new Resume()),
  fc.integer({ min: 1, max: 40 }).map((seconds) => new Pass(seconds * second)),
  fc.integer({ min: 2, max: 30 }).map((minutes) => new Sleep(minutes * minute)),
  fc
    .tuple(fc.integer({ min: 2, max: 30 }), who, which)
    .map(([minutes, by, of]) => new Sleep(minutes * minute, { who: by, which: of })),
  downs.map((ms) => new Crash(ms)),
  fc
    .constantFrom('cut' as const, 'leave' as const, 'come back' as const, 'come back' as const)
    .map((what) => new Line(what)),
  fc.constantFrom('kept' as const, 'gone' as const).map((agent) => new Restart(agent)),
  fc.tuple(which, rivals).map(([of, list]) => new Race(of, list)),
  fc.tuple(which, rivals).map(([of, list]) => new Race(of, list)),
]
