import { emptyTranscript, foldTranscript } from '@hotline/core/transcript/transcript'
import { recapOf } from '@hotline/core/transcript/recap'
import type { Report } from '@hotline/protocol/commands/agent'
import { describe, expect, it } from 'vitest'
import { activeLog, asking, code, dana, digestOf, type Log, runner, server } from './fixtures.ts'

const other = { kind: 'runner', id: 'r2' } as const
const words = (text: string): Report => ({
  type: 'message.completed',
  data: { message: `m${text.length}`, chars: text.length },
  body: { text },
})

/** In the middle of a turn with a decided and an open approval, a message that waits, and a machine that is silent. */
function silentLog(): Log {
  const log = activeLog()
  log.send(dana, 'message.send', { text: 'do it' })
  const reported = log.report(
    { type: 'message.delivered', data: { message: log.state?.queue[0]?.message, turn: 't1' } },
    { type: 'turn.started', data: { turn: 't1' } },
    words('I begin'),
    asking('a1'),
    asking('a2'),
  )
  if (!reported.ok) throw new Error(JSON.stringify(reported.problem))
  log.send(dana, 'approval.decide', { approval: 'a1', digest: digestOf(log, 'a1'), verdict: 'allow' })
  log.send(dana, 'message.send', { text: 'and then this' })
  log.send(server, 'contact.lose', { since: '2026-01-01T00:00:00.000Z' })
  return log
}

describe('a takeover', () => {
  it('[S20] closes what was open, keeps what waits, and lets the other machine begin, and nobody else', () => {
    const log = silentLog()
    const before = log.events.length
    expect(code(log.send(dana, 'session.take_over', { runner: 'r2', cwd: '/there', reason: 'it is gone' }))).toBe('ok')
    expect(log.types.slice(before)).toEqual([
      'approval.dispatch_unknown',
      'approval.cancelled',
      'turn.ended',
      'session.state_changed',
      'session.taken_over',
    ])
    expect(log.state).toMatchObject({
      status: 'interrupted',
      reason: 'taken_over',
      runner: 'r2',
      resuming: true,
      approvals: [],
      lease: { runner: 'r2', fence: 2 },
    })
    expect(log.state?.staleSince).toBeUndefined()
    expect(log.state?.queue).toHaveLength(1)
    expect(code(log.send(runner, 'lease.take', {}))).toBe('fenced')
    expect(code(log.send(other, 'lease.take', {}))).toBe('ok')
    expect(log.state).toMatchObject({ status: 'starting', lease: { runner: 'r2', fence: 3 }, resuming: false })
  })

  it('[S20] is refused while the machine is in contact, for the same machine, for programs, and when all is over', () => {
    expect(code(activeLog().send(dana, 'session.take_over', { runner: 'r2' }))).toBe('invalid_transition')
    expect(code(silentLog().send(dana, 'session.take_over', { runner: 'r1' }))).toBe('invalid_transition')
    const program = silentLog()
    program.report({ type: 'session.profile_changed', data: { capabilities: { input: 'keys' } } })
    if (program.state?.capabilities) {
      program.state = { ...program.state, capabilities: { ...program.state.capabilities, input: 'keys' } }
    }
    expect(code(program.send(dana, 'session.take_over', { runner: 'r2' }))).toBe('unsupported')
    const over = silentLog()
    over.send(dana, 'session.abort', {})
    expect(code(over.send(dana, 'session.take_over', { runner: 'r2' }))).toBe('invalid_transition')
  })

  it('[S20] of what has no agent needs no silence: one that waits or is interrupted, and one that was only starting', () => {
    const interrupted = activeLog()
    interrupted.report({
      type: 'session.state_changed',
      data: { from: 'active', to: 'interrupted', reason: 'agent_lost' },
      body: {},
    })
    expect(code(interrupted.send(dana, 'session.take_over', { runner: 'r2' }))).toBe('ok')
    expect(code(interrupted.send(other, 'lease.take', {}))).toBe('ok')
    const starting = activeLog()
    if (starting.state) starting.state = { ...starting.state, status: 'starting' }
    expect(code(starting.send(dana, 'session.take_over', { runner: 'r2' }))).toBe('invalid_transition')
    starting.send(server, 'contact.lose', { since: '2026-01-01T00:00:00.000Z' })
    expect(code(starting.send(dana, 'session.take_over', { runner: 'r2' }))).toBe('ok')
    expect(starting.state).toMatchObject({ status: 'starting', resuming: false, runner: 'r2' })
    expect(code(starting.send(other, 'lease.take', {}))).toBe('ok')
  })

  it('[S21] fences the former runner, and keeps what it still delivers beside', () => {
    const log = silentLog()
    const late = {
      fence: 1,
      events: [words('done in the dark'), { type: 'turn.ended' as const, data: { turn: 't1', end: 'end' } }],
    }
    expect(code(log.send(runner, 'agent.recover', late))).toBe('fenced')
    log.send(dana, 'session.take_over', { runner: 'r2' })
    log.send(other, 'lease.take', {})
    const before = { ...log.state }
    expect(code(log.send(runner, 'agent.report', late))).toBe('fenced')
    expect(code(log.send(other, 'agent.recover', late))).toBe('fenced')
    expect(code(log.send(runner, 'agent.recover', { ...late, fence: 2 }))).toBe('fenced')
    const unreadable = { ...late, events: [{ type: 'message.completed' as const, data: {}, body: { text: 1 } }] }
    expect(code(log.send(runner, 'agent.recover', unreadable))).toBe('invalid_request')
    expect(code(log.send(runner, 'agent.recover', late))).toBe('ok')
    expect(log.types.slice(-2)).toEqual(['report.recovered', 'report.recovered'])
    expect({ ...log.state }).toEqual(before)
    const { items } = foldTranscript(emptyTranscript, log.events)
    const branch = items.filter(({ kind }) => kind === 'recovered')
    expect(branch).toMatchObject([
      { kind: 'recovered', runner: 'r1', count: 2, lines: ['[agent] done in the dark', 'Status: turn ended'] },
    ])
    expect(items.filter((item) => item.kind === 'message' && item.text === 'done in the dark')).toEqual([])
  })

  it('[S22] what an agent is told of a conversation that it does not remember: who said and decided what, and the end of it', () => {
    const log = silentLog()
    const { items } = foldTranscript(emptyTranscript, log.events)
    expect(recapOf(items, 10_000).split('\n')).toEqual([
      'Person: do it',
      'You: I begin',
      'You asked: Run a command - allowed',
      'You asked: Run a command - not answered',
    ])
    expect(recapOf(items, 60)).toBe('(What was before is left out.)\nYou asked: Run a command - not answered')
    expect(recapOf([], 100)).toBe('')
  })
})
