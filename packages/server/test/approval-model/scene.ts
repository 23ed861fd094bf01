import { setTimeout as pause } from 'node:timers/promises'
import type { CommandOutcome } from '@hotline/client/link'
import { uuidV7 } from '@hotline/client/uuid'
import { openApprovals, type SessionState, timedApprovals } from '@hotline/core/session/state'
import type { AskPage } from '@hotline/protocol/asks'
import type { CommandInput } from '@hotline/protocol/command'
import type { Envelope } from '@hotline/protocol/event'
import { waitFor } from '@hotline/testing/wait-for'
import type * as fc from 'fast-check'
import { expect } from 'vitest'
import { AgentByHand, seqOf } from './agent.ts'
import { type Ledger, outcomeOf, readLedger } from './ledger.ts'
import { type Approver, openMax, type Stage } from './stage.ts'

/** An answer that somebody gave, and what they were told. */
export interface Given {
  id: string
  by: Approver
  decision: CommandInput<'approval.decide'>
  outcome: CommandOutcome
}

export interface AskedOf {
  approval: string
  digest: string
}

/** A step of the clock: shorter than what counts as an absence of the server, whatever is added to it below. */
const stepMs = 10_000
/** The server is asked to look again by so much. */
const nudgeMs = 1_000
const nudgesMax = 20
/** Enough for a request on this machine. */
const momentMs = 4

/** What people have where the agent forces no shorter time. */
export const approvalTimeoutMs = 60_000

/** One session on the stage, everything that was done in it, and what must hold of it. */
export class Scene {
  readonly stage: Stage
  readonly agent: AgentByHand
  readonly asked: AskedOf[] = []
  readonly given: Given[] = []
  /** In which order things come that come together. */
  readonly scheduler: fc.Scheduler

  private constructor(stage: Stage, scheduler: fc.Scheduler, session: string) {
    this.stage = stage
    this.scheduler = scheduler
    this.agent = new AgentByHand(stage, session)
  }

  static async open(stage: Stage, scheduler: fc.Scheduler): Promise<Scene> {
    const session = uuidV7()
    const start = { project: 'default', agent: 'demo', title: 'Modelled', approvalTimeoutMs }
    const started = await stage.dana.say(uuidV7(), `session:${session}`, 'session.start', start)
    if (!started.ok) throw new Error(started.problem.detail)
    const scene = new Scene(stage, scheduler, session)
    await scene.agent.begin()
    return scene
  }

  get nowMs(): number {
    return this.stage.clock.wallMs()
  }

  /** The agent asks something new, with so long to answer. */
  async ask(forMs: number): Promise<AskedOf> {
    const approval = uuidV7()
    const request = { tool: 'bash', title: 'Test', input: JSON.stringify({ command: `npm test ${approval}` }) }
    const expiresAt = new Date(this.nowMs + forMs).toISOString()
    const asked = { approval, digest: await this.agent.ask(approval, request, expiresAt) }
    this.asked.push(asked)
    return asked
  }

  async decide(by: Approver, decision: CommandInput<'approval.decide'>): Promise<CommandOutcome> {
    const id = uuidV7()
    const outcome = await by.say(id, this.agent.stream, 'approval.decide', decision)
    this.given.push({ id, by, decision, outcome })
    return outcome
  }

  /** The clock goes on, in steps at which the server's timers can follow. */
  async pass(ms: number): Promise<void> {
    for (let leftMs = ms; leftMs > 0; leftMs -= stepMs) {
      await this.#awake(stepMs)
      await this.stage.advance(Math.min(stepMs, leftMs))
    }
    await this.#awake(stepMs)
  }

  /** The server's machine sleeps: its timers stand, and the wall goes on. `first` comes before any timer. */
  async sleep(ms: number, first: () => Promise<unknown>): Promise<void> {
    await this.#awake(stepMs)
    this.stage.clock.setBack(-ms)
    await first()
    await this.stage.advance(stepMs)
    await this.#awake(stepMs)
  }

  async events(): Promise<Envelope[]> {
    const all: Envelope[] = []
    for (let after = '0'; ;) {
      const path = `/api/sessions/${this.agent.session}/events?after=${after}`
      const page = await this.stage.request<{ events: Envelope[]; next: string }>('GET', path)
      if (page.events.length === 0) return all
      all.push(...page.events)
      after = page.next
    }
  }

  async state(): Promise<{ state: SessionState; cursor: string }> {
    return this.stage.request('GET', `/api/sessions/${this.agent.session}`)
  }

  /**
   * Does all of it at once: who comes first, and what happens before and after each commit of the server, is the scheduler's
   * to say. The world goes on for a moment after each, so that what follows from it can come first as well.
   */
  async atOnce(things: readonly { what: string; happens: () => Promise<unknown> }[]): Promise<void> {
    const { scheduler, stage } = this
    const turn = (what: string): Promise<unknown> => scheduler.schedule(Promise.resolve(), what)
    const goOn = async (release: () => Promise<void>): Promise<void> => {
      await release()
      await pause(momentMs)
    }
    stage.turn = turn
    try {
      const all = things.map(async ({ what, happens }) => {
        await turn(what)
        await happens()
      })
      await scheduler.waitFor(Promise.all(all), goOn)
    } finally {
      stage.turn = undefined
      await scheduler.waitIdle()
    }
  }

  /** Waits until those of them that are open have time until then. */
  async haveTime(approvals: readonly string[], untilMs: number): Promise<void> {
    const have = async (): Promise<boolean> =>
      openApprovals((await this.state()).state)
        .filter(({ approval }) => approvals.includes(approval))
        .every(({ expiresAt }) => Date.parse(expiresAt) >= untilMs)
    await waitFor(have, { what: 'time to be given back', everyMs: 5 })
  }

  /**
   * Waits until the server has closed what is over, and the machine, if it is here, has heard all and said all; then
   * everything must hold. Answers the ledger.
   */
  async settle(): Promise<Ledger> {
    await this.#closeOverdue()
    const { agent } = this
    await waitFor(
      async () => {
        if (agent.isAway) return true
        const { cursor } = await this.state()
        return agent.under === 0 && agent.seen === seqOf(cursor)
      },
      { what: 'the machine to have heard and said all', everyMs: 5 },
    )
    return this.#check()
  }

  /** Everybody is here again and everything is answered: nothing is left over. */
  async finish(): Promise<void> {
    if (this.agent.isAway) this.agent.comeBack()
    for (;;) {
      const open = openApprovals((await this.state()).state)
      if (open.length === 0) break
      for (const { approval, digest } of open) {
        await this.decide(this.stage.dana, { approval, digest, verdict: 'deny' })
      }
    }
    const { entries } = await this.settle()
    for (const { approval, ends } of entries.values()) expect([approval, ends.length]).toEqual([approval, 1])
    expect(entries.size).toBe(this.asked.length)
    expect(await this.stage.verify(this.agent.stream)).toBeUndefined()
    const done = { from: 'active', to: 'completed', reason: 'agent_exited' }
    await this.agent.report({ type: 'session.state_changed', data: done, body: {} })
  }

  /** The machine goes, and the network is as it was. */
  async close(): Promise<void> {
    this.stage.machineLine('whole')
    await this.agent.close()
  }

  /** Its timer for approvals has looked within this time, by its clock. */
  async #awake(withinMs: number): Promise<void> {
    const { clock } = this.stage
    for (let nudges = 0; clock.wallMs() - this.stage.awakeMs() > withinMs; nudges += 1) {
      await pause(5)
      if (nudges % 5 === 4) await this.stage.advance(nudgeMs)
      if (nudges > nudgesMax * 5) throw new Error('the server looks at no approvals')
    }
  }

  async #closeOverdue(): Promise<void> {
    for (let nudges = 0; ; nudges += 1) {
      const { state } = await this.state()
      const overdue = timedApprovals(state).filter(({ expiresAt }) => Date.parse(expiresAt) <= this.nowMs)
      if (state.status === 'paused' || overdue.length === 0) return
      if (nudges > nudgesMax) throw new Error(`not closed after its time: ${JSON.stringify(overdue)}`)
      await pause(10)
      if (nudges % 2 === 1) await this.stage.advance(nudgeMs)
    }
  }

  async #check(): Promise<Ledger> {
    const events = await this.events()
    const { state } = await this.state()
    const ledger = readLedger(events, { timeoutMs: approvalTimeoutMs, openMax })
    expect(ledger.faults).toEqual([])
    const entries = [...ledger.entries.values()]

    // What people see is what the log says.
    const unended = entries.filter(({ ends }) => ends.length === 0)
    const open = unended.filter(({ openedMs }) => openedMs !== undefined).map(({ approval }) => approval)
    const waiting = unended.filter(({ openedMs }) => openedMs === undefined).map(({ approval }) => approval)
    expect(state.waiting?.map(({ approval }) => approval) ?? []).toEqual(waiting)
    // Nobody waits where there is room.
    expect(open.length).toBe(Math.min(openMax, unended.length))
    const page = await this.stage.request<AskPage>('GET', `/api/asks?sessions=${this.agent.session}`)
    expect(page.asks.map(({ ask }) => ask).toSorted()).toEqual(open.toSorted())
    expect(
      openApprovals(state)
        .map(({ approval }) => approval)
        .toSorted(),
    ).toEqual(open.toSorted())

    for (const { approval, ends, handed } of entries) {
      const [end] = ends
      const accepted = this.given.filter(({ decision, outcome }) => decision.approval === approval && outcome.ok)
      // One answer counts, and it is the one in the log, from who gave it.
      expect([approval, accepted.length]).toEqual([approval, end?.type === 'approval.resolved' ? 1 : 0])
      const [winner] = accepted
      if (end?.type === 'approval.resolved') {
        expect(end.cause).toBe(winner?.id)
        expect(end.actor.id).toBe(winner?.by.id)
        const outcome = { allow: 'allowed', deny: 'denied', modify: 'allowed_modified' }[
          winner?.decision.verdict ?? 'deny'
        ]
        expect(end.data['outcome']).toBe(outcome)
      }
      this.#checkTold(approval, end, handed)
      for (const { decision, outcome } of this.given) {
        if (decision.approval === approval && !outcome.ok) checkRefusal(end, outcome.problem)
      }
    }
    return ledger
  }

  /** The agent that asked got just that outcome, once; or it is gone, or no longer wanted to know. */
  #checkTold(approval: string, end: Envelope | undefined, handed: readonly Envelope[]): void {
    const { agent } = this
    const told = agent.told.filter((one) => one.approval === approval)
    const isHere = agent.asked.get(approval) === agent.life
    const outcome = end && outcomeOf(end)
    const isAnswered = end !== undefined && end.type !== 'approval.cancelled'
    const digest = end?.data['modifiedDigest'] ?? end?.data['digest']
    const right = { approval, outcome, digest, life: agent.asked.get(approval) }
    const isTakenBack = handed.some(({ data }) => data['reason'] === 'recalled')
    if (!isAnswered || isTakenBack) expect(told).toEqual([])
    else if (isHere && !agent.isAway) {
      expect(told).toEqual([right])
      expect(handed.map(({ type }) => type)).toEqual(['approval.dispatched'])
    } else if (told.length > 0) expect(told).toEqual([right])
    if (!isHere) {
      expect(end).toBeDefined()
      if (isAnswered) expect([approval, handed.length]).toEqual([approval, 1])
    }
  }
}

/** Who comes too late hears how it ended, and where a person answered: who, and when. */
function checkRefusal(end: Envelope | undefined, problem: { code: string; [fact: string]: unknown }): void {
  switch (problem.code) {
    case 'digest_mismatch':
    // It waited for its turn.
    case 'invalid_transition':
      return
    case 'approval_expired':
      // Somebody came between the end of its time and the word of the server.
      expect(end?.type).not.toBe('approval.resolved')
      return
    case 'already_resolved':
      expect(problem).toMatchObject({
        outcome: end?.data['outcome'],
        by: end?.actor,
        at: end?.at,
      })
      return
    default:
      expect(problem).toBe('a refusal that this knows')
  }
}
