import { amountWords, readAmount, readBudget, usedWords, writtenAmount } from '@hotline/core/budget-words'
import { oneLine } from '@hotline/core/one-line'
import { budgetsOf, usedOf } from '@hotline/core/session/spent'
import { emptyTranscript, foldTranscript } from '@hotline/core/transcript/transcript'
import type { Report } from '@hotline/protocol/commands/agent'
import { asKnown } from '@hotline/protocol/known-event'
import { describe, expect, it } from 'vitest'
import { activeLog, asking, dana, Log, runner, server } from './fixtures.ts'

const began = (turn: string): Report => ({ type: 'turn.started', data: { turn } })

describe('the time to answer', () => {
  it('[P8] stands while the session is paused, and what was open has so much more when it goes on', () => {
    const log = activeLog()
    const become = (to: 'paused' | 'active'): void => {
      const from = to === 'paused' ? 'active' : 'paused'
      log.report({ type: 'session.state_changed', data: { from, to, reason: 'requested' }, body: {} })
    }
    log.report(asking('a1', 'x', { expiresAt: new Date(log.nowMs + 1_000 + 60_000).toISOString() }))
    const expiresAt = (): number => Date.parse(log.state?.approvals[0]?.expiresAt ?? '')
    log.nowMs += 30_000
    become('paused')
    log.nowMs += 3_600_000
    // The clock of the server comes by, and nothing happens.
    log.send(server, 'approval.expire', { approval: 'a1' })
    expect(log.types).not.toContain('approval.timed_out')
    become('active')
    expect(expiresAt() - log.nowMs).toBe(29_000)
    const { items } = foldTranscript(emptyTranscript, log.events)
    expect(items.find(({ kind }) => kind === 'approval')).toMatchObject({
      expiresAt: new Date(expiresAt()).toISOString(),
    })
    log.nowMs = expiresAt()
    log.send(server, 'approval.expire', { approval: 'a1' })
    expect(log.types).toContain('approval.timed_out')
  })

  it('[P8] what is open can be answered after its time, as long as the session is paused', () => {
    const log = activeLog()
    log.report(asking('a1', 'x', { expiresAt: new Date(log.nowMs + 5_000).toISOString() }))
    log.report({ type: 'session.state_changed', data: { from: 'active', to: 'paused', reason: 'requested' }, body: {} })
    log.nowMs += 3_600_000
    const digest = log.state?.approvals[0]?.digest ?? ''
    expect(log.send(dana, 'approval.decide', { approval: 'a1', digest, verdict: 'deny' })).toMatchObject({ ok: true })
  })
})

describe('a budget', () => {
  it('[R106] time passes while the agent works, and not while it waits for people, is paused or is at rest', () => {
    const log = activeLog()
    if (!log.state) throw new Error('there is no session')
    const used = (): number => (log.state ? usedOf(log.state, 'timeMs', log.nowMs) : -1)
    log.nowMs += 60_000
    expect(used()).toBe(0)
    log.report(began('t1'))
    log.nowMs += 4_000
    expect(used()).toBe(4_000)
    log.report(asking('a1'))
    expect(used()).toBe(5_000)
    log.nowMs += 60_000
    expect(used()).toBe(5_000)
    log.report({ type: 'approval.cancelled', data: { approval: 'a1', reason: 'agent_withdrew' } })
    log.nowMs += 1_000
    expect(used()).toBe(6_000)
    log.report({ type: 'session.state_changed', data: { from: 'active', to: 'paused', reason: 'requested' }, body: {} })
    log.nowMs += 60_000
    expect(used()).toBe(7_000)
    log.report({ type: 'session.state_changed', data: { from: 'paused', to: 'active', reason: 'requested' }, body: {} })
    log.report({ type: 'turn.ended', data: { turn: 't1', end: 'end' }, body: {} })
    log.nowMs += 60_000
    expect(used()).toBe(8_000)
    // Its end ends its work as well.
    log.report(began('t2'))
    log.report({
      type: 'session.state_changed',
      data: { from: 'active', to: 'interrupted', reason: 'agent_exited' },
      body: {},
    })
    log.nowMs += 60_000
    expect(used()).toBe(9_000)
  })

  it('[R106] what its machine has counted is what counts, where that is more than the log shows', () => {
    const log = activeLog()
    log.send(dana, 'session.set_budget', { budget: { timeMs: 10_000 } })
    log.report(began('t1'))
    log.nowMs += 4_000
    log.report({ type: 'budget.warned', data: { budget: 'timeMs', used: 8_000, limit: 10_000 } })
    if (!log.state) throw new Error('there is no session')
    expect(usedOf(log.state, 'timeMs', log.nowMs)).toBe(8_000)
    log.nowMs += 3_000
    log.report({ type: 'budget.exhausted', data: { budget: 'timeMs', used: 10_000, limit: 10_000 } })
    expect(usedOf(log.state, 'timeMs', log.nowMs)).toBe(12_000)
  })

  it('[R106] is set at the start, by a profile only where nobody has set that, and later by people', () => {
    const log = new Log()
    log.send(dana, 'session.start', { project: 'p1', agent: 'demo', budget: { toolCalls: 5 } })
    log.send(runner, 'lease.take', {})
    const profile = (budget: Record<string, number>): void =>
      void log.report({ type: 'budget.changed', data: { budget } })
    profile({ toolCalls: 500 })
    expect(log.state?.budget).toEqual({ toolCalls: 5 })
    profile({ toolCalls: 5, costUsd: 2 })
    expect(log.state?.budget).toEqual({ toolCalls: 5, costUsd: 2 })
    log.report(
      { type: 'session.profile_changed', data: { startedAt: '2026-01-01T00:00:00.000Z' } },
      { type: 'session.state_changed', data: { from: 'starting', to: 'active', reason: 'agent_ready' }, body: {} },
    )
    log.send(dana, 'session.set_budget', { budget: { costUsd: null, outputBytes: 1_000 } })
    expect(log.state?.budget).toEqual({ toolCalls: 5, outputBytes: 1_000 })
    profile({ toolCalls: 5, outputBytes: 1_000, costUsd: 2 })
    expect(log.state?.budget).toEqual({ toolCalls: 5, outputBytes: 1_000 })
    const bytes = { source: 'stdout', encoding: 'utf8', bytes: 700 }
    log.report({ type: 'output.appended', data: bytes, body: { text: 'x' } })
    log.report({ type: 'output.appended', data: { ...bytes, source: 'log' }, body: { text: 'x' } })
    if (!log.state) throw new Error('there is no session')
    expect(budgetsOf(log.state, log.nowMs)).toEqual([
      { budget: 'toolCalls', used: 0, limit: 5 },
      { budget: 'outputBytes', used: 700, limit: 1_000 },
    ])
    log.send(dana, 'session.set_budget', { budget: { diskBytes: 1_000, outputBytes: null } })
    log.report({ type: 'budget.warned', data: { budget: 'diskBytes', used: 900, limit: 1_000 } })
    expect(budgetsOf(log.state, log.nowMs)).toContainEqual({ budget: 'diskBytes', used: 900, limit: 1_000 })
    log.send(dana, 'session.set_budget', { budget: { toolCalls: null, diskBytes: null } })
    expect(log.state.budget).toBeUndefined()
    log.send(dana, 'session.abort', {})
    expect(log.send(dana, 'session.set_budget', { budget: { toolCalls: 1 } })).toMatchObject({
      ok: false,
      problem: { code: 'invalid_transition' },
    })
  })

  it('[T56] what is said of one counts for the limit that it was said of', () => {
    const log = activeLog()
    log.send(dana, 'session.set_budget', { budget: { toolCalls: 10, costUsd: 1 } })
    const tell = (type: 'budget.warned' | 'budget.exhausted', used: number, limit: number): void =>
      void log.report({ type, data: { budget: 'toolCalls', used, limit } })
    tell('budget.warned', 8, 11)
    expect(log.state?.warned).toBeUndefined()
    tell('budget.warned', 8, 10)
    log.report({ type: 'budget.warned', data: { budget: 'costUsd', used: 0.9, limit: 1 } })
    tell('budget.exhausted', 10, 10)
    log.report({
      type: 'session.state_changed',
      data: { from: 'active', to: 'paused', reason: 'budget_spent', paused: { kind: 'held' } },
      body: {},
    })
    expect(log.state).toMatchObject({ warned: ['toolCalls', 'costUsd'], paused: { kind: 'held' } })
    const refused = log.send(dana, 'session.resume', {})
    expect(refused).toMatchObject({ ok: false, problem: { code: 'invalid_transition' } })
    // Less than what is used helps nobody.
    log.send(dana, 'session.set_budget', { budget: { toolCalls: 9 } })
    expect(log.state).toMatchObject({ exhausted: { budget: 'toolCalls' }, warned: ['costUsd'] })
    log.send(dana, 'session.set_budget', { budget: { toolCalls: 20 } })
    expect(log.state?.exhausted).toBeUndefined()
    const lines = log.events.flatMap((event) => {
      const known = asKnown(event)
      return known?.type.startsWith('budget.') ? [oneLine(known)] : []
    })
    expect(lines).toEqual([
      'Status: budget: 10 tool calls, $1.00',
      'Status: budget nearly used up: 8 of 10 tool calls',
      'Status: budget nearly used up: $0.90 of $1.00',
      'Status: budget used up, held before its next step: 10 of 10 tool calls',
      'Status: budget: 9 tool calls, $1.00',
      'Status: budget: 20 tool calls, $1.00',
    ])
    const items = foldTranscript(emptyTranscript, log.events).items.filter(({ kind }) => kind === 'budget')
    expect(items).toHaveLength(6)
  })

  it.each([
    ['time=2h,calls=500', { timeMs: 7_200_000, toolCalls: 500 }],
    ['output=100MB cost=$2.50', { outputBytes: 100_000_000, costUsd: 2.5 }],
    ['disk=5GB,output=none', { diskBytes: 5_000_000_000, outputBytes: null }],
    ['time=1.5m, calls=none', { timeMs: 90_000, toolCalls: null }],
  ])('[R106] is written as people write it: %s', (text, change) => {
    expect(readBudget(text)).toEqual({ ok: true, change })
  })

  it.each([
    '',
    'time=2',
    'calls=-1',
    'calls=1.2.3',
    'toolCalls=5',
    'cost=',
    'time=0s',
    'output=5parsecs',
    '__proto__=1',
  ])('[R106] "%s" is none, and the answer says how one is written', (text) => {
    expect(JSON.stringify(readBudget(text))).toContain('time=2h')
  })

  it('[R106] an amount can be typed as it is shown', () => {
    expect(amountWords('timeMs', 9_000_000)).toBe('2h 30m of work')
    expect(usedWords({ budget: 'outputBytes', used: 1_500, limit: 2_000_000 })).toBe('1.5 kB of 2 MB of output')
    expect(usedWords({ budget: 'diskBytes', used: 4_100_000_000, limit: 5_000_000_000 })).toBe('4.1 GB of 5 GB of disk')
    expect(usedWords({ budget: 'diskBytes', used: 0, limit: 5_000_000_000 })).toBe('under 80 % of 5 GB of disk')
    for (const [budget, amount] of [
      ['timeMs', 5_400_000],
      ['timeMs', 45_000],
      ['toolCalls', 7],
      ['outputBytes', 1_500_000],
      ['outputBytes', 12],
      ['diskBytes', 5_000_000_000],
      ['costUsd', 0.5],
    ] as const) {
      expect(readAmount(budget, writtenAmount(budget, amount))).toBe(amount)
    }
  })
})
