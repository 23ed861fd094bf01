import type { SessionState } from '@hotline/core/session/state'
import { turnOf } from '@hotline/core/session/state'
import { foldTranscript, emptyTranscript } from '@hotline/core/transcript/transcript'
import type { Report } from '@hotline/protocol/commands/agent'
import { describe, expect, it } from 'vitest'
import { activeLog, asking, code, dana, digestOf, type Log, runner, server } from './fixtures.ts'

const dayMs = 24 * 60 * 60 * 1_000

/** So many requests in one report, `a1` and on. */
function asks(count: number, from = 1): Report[] {
  return Array.from({ length: count }, (_, at) => asking(`a${from + at}`))
}

function names(of: readonly { approval: string }[] = []): readonly string[] {
  return of.map(({ approval }) => approval)
}

function open(log: Log): readonly string[] {
  return names(log.state?.approvals.filter(({ outcome }) => outcome === undefined))
}

function allow(log: Log, approval: string): string {
  return code(log.send(dana, 'approval.decide', { approval, digest: digestOf(log, approval), verdict: 'allow' }))
}

describe('the queue of approvals', () => {
  it('[AQ1] of a thousand requests at once five are open, the others wait in their order, and one more is refused by name', () => {
    const log = activeLog()
    for (let at = 0; at < 10; at += 1) log.report(...asks(100, 100 * at + 1))
    expect(open(log)).toEqual(['a1', 'a2', 'a3', 'a4', 'a5'])
    expect(names(log.state?.waiting)).toEqual(names(asks(995, 6).map(({ data }) => data as { approval: string })))
    log.report(...asks(5, 1_001))
    const refused = log.report(asking('late'))
    expect(refused).toMatchObject({
      facts: { dropped: [{ index: 0, code: 'queue_full' }] },
      events: [{ type: 'approval.refused', data: { approval: 'late', reason: 'queue_full', limit: 1_000 } }],
    })
    expect(log.state?.waiting).toHaveLength(1_000)
    const { items } = foldTranscript(emptyTranscript, log.events)
    expect(items.at(-1)).toMatchObject({
      kind: 'notice',
      code: 'queue_full',
      text: 'Queue full, not asked: Run a command',
    })
    // Room is made by what ends, and by nothing else.
    expect(allow(log, 'a1')).toBe('ok')
    expect(log.report(asking('again'))).toMatchObject({ facts: { dropped: [{ code: 'queue_full' }] } })
    log.report({ type: 'approval.dispatched', data: { approval: 'a1' } })
    expect(log.report(asking('again'))).toMatchObject({ facts: {} })
  })

  it.each([
    ['is answered', (log: Log) => allow(log, 'a2')],
    ['is out of time', (log: Log) => expire(log, 'a2')],
    [
      'is taken back',
      (log: Log) => log.report({ type: 'approval.cancelled', data: { approval: 'a2', reason: 'agent_withdrew' } }),
    ],
  ])('[AQ2] when one %s the oldest that waits is open in its place, and its time begins then', (_, end) => {
    const log = activeLog({ approvalTimeoutMs: 60_000 })
    log.report(...asks(8))
    log.nowMs += 30_000
    end(log)
    const { state, nowMs } = log
    expect(open(log)).toContain('a6')
    expect(names(state?.waiting).at(0)).toBe('a7')
    const sixth = state?.approvals.find(({ approval }) => approval === 'a6')
    expect(sixth).toMatchObject({ expiresAt: iso(nowMs + 60_000), openedAt: iso(nowMs) })
    expect(sixth?.requestedAt).not.toBe(sixth?.openedAt)
  })

  it('[AQ2] what waits is not out of time, however long it waits', () => {
    const log = activeLog({ approvalTimeoutMs: 60_000 })
    log.report(...asks(6))
    log.nowMs += 10 * dayMs
    expect(log.send(server, 'approval.expire', { approval: 'a6' })).toMatchObject({ events: [] })
    expect(log.send(server, 'approval.expire', { approval: 'a1' })).toMatchObject({
      events: [{ type: 'approval.timed_out' }, { type: 'approval.opened', data: { approval: 'a6' } }],
    })
  })

  it('[AQ2] one that its agent forces to a shorter time ends then, also while it waits', () => {
    const log = activeLog()
    const until = iso(log.nowMs + 60_000)
    log.report(...asks(6), asking('short', 'x', { expiresAt: until }))
    expect(names(log.state?.waiting)).toEqual(['a6', 'short'])
    log.nowMs += 120_000
    log.send(server, 'approval.expire', { approval: 'short' })
    expect(log.events.at(-1)).toMatchObject({ type: 'approval.timed_out', data: { approval: 'short' } })
    // Its agent is told, as of any other.
    expect(log.report({ type: 'approval.dispatched', data: { approval: 'short' } })).toMatchObject({ facts: {} })
    expect(names(log.state?.waiting)).toEqual(['a6'])
  })

  it('[AQ3] nobody decides or extends what waits; whoever tries is told its place and what comes first', () => {
    const log = activeLog()
    log.report(...asks(7))
    const digest = log.state?.waiting?.[1]?.digest ?? ''
    for (const verdict of ['allow', 'deny'] as const) {
      expect(log.send(dana, 'approval.decide', { approval: 'a7', digest, verdict })).toMatchObject({
        problem: { code: 'invalid_transition', place: 2, waiting: 2, open: ['a1', 'a2', 'a3', 'a4', 'a5'] },
      })
    }
    expect(code(log.send(dana, 'approval.extend', { approval: 'a7', until: iso(log.nowMs + 2 * dayMs) }))).toBe(
      'invalid_transition',
    )
  })

  it('[AQ3] the agent takes back what waits, and nothing is opened for that', () => {
    const log = activeLog()
    log.report(...asks(7))
    const cancel: Report = { type: 'approval.cancelled', data: { approval: 'a6', reason: 'agent_withdrew' } }
    expect(log.report(cancel)).toMatchObject({ events: [{ type: 'approval.cancelled' }] })
    expect(names(log.state?.waiting)).toEqual(['a7'])
    expect(log.state?.resolved.at(-1)).toMatchObject({ approval: 'a6', outcome: 'cancelled' })
    expect(log.report(asking('a6'))).toMatchObject({ facts: { dropped: [{ code: 'already_exists' }] } })
  })

  it.each([
    ['a turn', { type: 'turn.ended', data: { turn: 't1', end: 'end' }, body: {} }],
    [
      'an agent',
      { type: 'session.state_changed', data: { from: 'active', to: 'interrupted', reason: 'agent_lost' }, body: {} },
    ],
  ] as [string, Report][])('[AQ4] the end of %s closes what waits with what is open', (_, end) => {
    const log = activeLog()
    log.report({ type: 'turn.started', data: { turn: 't1' } }, ...asks(20))
    log.report(end)
    expect(log.types.filter((type) => type === 'approval.cancelled')).toHaveLength(20)
    expect(log.types).not.toContain('approval.opened')
    expect(log.state).toMatchObject({ approvals: [] })
    expect(log.state?.waiting).toBeUndefined()
  })

  it('[AQ4] what came up while the session was paused gets only the time that it stood', () => {
    const log = activeLog({ approvalTimeoutMs: 60_000 })
    log.report(...asks(6))
    log.report({ type: 'session.state_changed', data: { from: 'active', to: 'paused', reason: 'requested' }, body: {} })
    log.nowMs += 20_000
    allow(log, 'a1')
    const at = log.nowMs
    log.nowMs += 20_000
    log.report({ type: 'session.state_changed', data: { from: 'paused', to: 'active', reason: 'requested' }, body: {} })
    const sixth = log.state?.approvals.find(({ approval }) => approval === 'a6')
    expect(sixth?.expiresAt).toBe(iso(at + 60_000 + (log.nowMs - at)))
  })

  it('[AQ5] who follows has the same queue as who decided, and shows nothing as open that waits', () => {
    const log = activeLog()
    log.report(...asks(7))
    allow(log, 'a3')
    const { items } = foldTranscript(emptyTranscript, log.events)
    const shown = items.filter((item) => item.kind === 'approval')
    expect(shown.filter(({ isWaiting }) => isWaiting).map(({ approval }) => approval)).toEqual(['a7'])
    expect(shown.find(({ approval }) => approval === 'a6')?.expiresAt).toBe(
      log.state?.approvals.find(({ approval }) => approval === 'a6')?.expiresAt,
    )
    expect(turnOf(log.state as SessionState)).toBe('waiting')
  })

  it("[AQ1] how many are open and may wait is the server's to say", () => {
    const log = activeLog()
    log.approvalLimits = { open: 1, waiting: 2 }
    const outcome = log.report(...asks(4))
    expect(outcome).toMatchObject({ facts: { dropped: [{ index: 3, code: 'queue_full' }] } })
    expect([open(log), names(log.state?.waiting)]).toEqual([['a1'], ['a2', 'a3']])
    // With more room from then on, as many come up as there is.
    log.approvalLimits = { open: 3, waiting: 2 }
    allow(log, 'a1')
    expect([open(log), log.state?.waiting]).toEqual([['a2', 'a3'], undefined])
  })

  it('[AQ1] a runner cannot say that a request waits, or until when its agent does', () => {
    const log = activeLog()
    log.report(asking('a1', 'x', { queued: true, agentUntil: '2026-01-01T00:00:00.000Z' }))
    expect(log.events.at(-1)?.data).not.toHaveProperty('queued')
    expect(log.state?.approvals[0]?.agentUntil).toBeUndefined()
    expect(
      code(log.send(runner, 'approval.decide', { approval: 'a1', digest: digestOf(log, 'a1'), verdict: 'deny' })),
    ).toBe('ok')
  })

  it('[P25] the time that a session was started with comes before that of its project', () => {
    const log = activeLog({ approvalTimeoutMs: 60_000 })
    log.approvalTimeouts = { usual: 3_600_000 }
    log.report(asking('a1'))
    expect(log.state?.approvals[0]?.expiresAt).toBe(iso(log.nowMs + 60_000))
    const other = activeLog()
    other.approvalTimeouts = { usual: 3_600_000 }
    other.report(asking('a1'))
    expect(other.state?.approvals[0]?.expiresAt).toBe(iso(other.nowMs + 3_600_000))
  })

  it('[P24] what an agent forces to a shorter time says so, and nobody can give it more', () => {
    const log = activeLog()
    const until = iso(log.nowMs + 60_000)
    log.report(asking('a1', 'x', { expiresAt: until }))
    expect(log.state?.approvals[0]).toMatchObject({ expiresAt: until, agentUntil: until })
    expect(log.send(dana, 'approval.extend', { approval: 'a1', until: iso(log.nowMs + dayMs) })).toMatchObject({
      problem: { code: 'unsupported', agentUntil: until },
    })
    log.report(asking('a2', 'x', { expiresAt: iso(log.nowMs + 9 * dayMs) }))
    expect(log.state?.approvals[1]?.agentUntil).toBeUndefined()
  })
})

function expire(log: Log, approval: string): void {
  log.nowMs += 60_000
  log.send(server, 'approval.expire', { approval })
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
