import type { CommandType } from '@hotline/protocol/command'
import { type SessionStatus, sessionStatuses, transitions } from '@hotline/protocol/session-status'
import { describe, expect, it } from 'vitest'
import { activeLog, code, dana, type Log } from './fixtures.ts'

/** What people ask of a session, and in which states it is not refused for the state. */
const asked = {
  'session.pause': ['active'],
  'session.resume': ['paused', 'interrupted'],
  'session.interrupt': ['active'],
  'session.set_mode': ['active'],
  'session.complete': ['active'],
  'session.abort': ['queued', 'starting', 'active', 'paused', 'interrupted'],
  'message.send': ['queued', 'starting', 'active', 'paused', 'interrupted'],
  'input.send': ['active'],
} as const satisfies Partial<Record<CommandType, readonly SessionStatus[]>>
const given = {
  'session.set_mode': { mode: 'ask' },
  'message.send': { text: 'hello' },
  'input.send': { text: 'x' },
} as Partial<Record<CommandType, object>>

/** A session of an agent that can do everything, in that state, in the middle of a turn. */
function sessionIn(status: SessionStatus): Log {
  const log = activeLog()
  log.report({ type: 'turn.started', data: { turn: 't1' } })
  if (!log.state?.capabilities) throw new Error('there is no session')
  log.state = {
    ...log.state,
    status,
    capabilities: { ...log.state.capabilities, pause: 'signal', input: 'keys' },
  }
  return log
}

const cases = sessionStatuses.flatMap((status) =>
  (Object.keys(asked) as (keyof typeof asked)[]).map((type) => [type, status] as const),
)

describe('life cycle', () => {
  it.each(cases)('[S6] %s of a session that is %s', (type, status) => {
    const log = sessionIn(status)
    const before = { events: log.events.length, state: log.state }
    const decision = log.send(dana, type, given[type] ?? {})
    const isAllowed = (asked[type] as readonly SessionStatus[]).includes(status)
    expect(code(decision)).toBe(isAllowed ? 'ok' : 'invalid_transition')
    if (decision.ok) return
    // It says how the session stands, to people and to programs, and changes nothing.
    expect(decision.problem).toMatchObject({ status: 409 })
    expect(decision.problem.detail).toContain(status)
    expect({ events: log.events.length, state: log.state }).toEqual(before)
  })

  it('[S1] between active, paused, completed and aborted there are these five ways and no other', () => {
    const four: readonly SessionStatus[] = ['active', 'paused', 'completed', 'aborted']
    const ways = four.flatMap((from) =>
      four.filter((to) => transitions[from].includes(to)).map((to) => `${from} -> ${to}`),
    )
    expect(ways).toEqual([
      'active -> paused',
      'active -> completed',
      'active -> aborted',
      'paused -> active',
      'paused -> aborted',
    ])
  })

  it.each(['completed', 'failed'] as const)('[S15] an agent that ends as %s while it is paused is gone', (to) => {
    const log = sessionIn('paused')
    log.report({ type: 'session.state_changed', data: { from: 'active', to, reason: 'agent_exited' }, body: {} })
    expect(log.state).toMatchObject({ status: 'interrupted', reason: 'agent_exited' })
    expect(log.state?.turn).toBeUndefined()
  })

  it('[S15] what is held at its next step can be frozen, and nothing is paused twice', () => {
    const log = sessionIn('active')
    if (!log.state?.capabilities) throw new Error('there is no session')
    expect(code(log.send(dana, 'session.pause', { when: 'next_step' }))).toBe('unsupported')
    log.state = { ...log.state, capabilities: { ...log.state.capabilities, input: 'turns' } }
    expect(code(log.send(dana, 'session.pause', { when: 'next_step' }))).toBe('ok')
    expect(log.state?.controls).toMatchObject([{ action: 'pause', when: 'next_step' }])
    expect(code(log.send(dana, 'session.pause', { when: 'next_step' }))).toBe('invalid_transition')
    expect(code(log.send(dana, 'session.resume', {}))).toBe('ok')
    expect(code(log.send(dana, 'session.pause', {}))).toBe('ok')
    expect(code(log.send(dana, 'session.pause', {}))).toBe('invalid_transition')
    const [wish, , now] = log.state?.controls ?? []
    const done = (control: string | undefined, more: object) =>
      log.report({ type: 'control.done', data: { control, action: 'pause', ...more } })
    done(wish?.control, { kind: 'held' })
    log.report({ type: 'session.state_changed', data: { from: 'active', to: 'paused', reason: 'requested' }, body: {} })
    expect(log.state?.paused).toEqual({ kind: 'held' })
    done(now?.control, { kind: 'frozen', reach: 'cgroup', processes: 3 })
    expect(log.state?.paused).toEqual({ kind: 'frozen', reach: 'cgroup', processes: 3 })
    expect(code(log.send(dana, 'session.pause', {}))).toBe('invalid_transition')
    log.report({ type: 'session.state_changed', data: { from: 'paused', to: 'active', reason: 'requested' }, body: {} })
    expect(log.state).not.toHaveProperty('paused.kind')
  })
})

describe('a session that is there for one turn', () => {
  const turn = (log: Log, end: 'end' | 'error' | 'cancelled', id = 't1'): void => {
    log.report({ type: 'turn.started', data: { turn: id } })
    log.report({ type: 'turn.ended', data: { turn: id, end }, body: {} })
  }

  it('[S24] is asked to complete at the end of it, by the server, and once', () => {
    const log = activeLog({ endsAfter: 'turn' })
    turn(log, 'end')
    expect(log.state).toMatchObject({ ending: 'completed', controls: [{ action: 'kill' }] })
    expect(log.events.at(-1)).toMatchObject({ type: 'control.requested', actor: { kind: 'system', id: 'server' } })
    turn(log, 'end', 't2')
    expect(log.types.filter((type) => type === 'control.requested')).toHaveLength(1)
  })

  it('[S24] stays where the turn broke off, where more waits for it, and where nobody wanted that it ends', () => {
    for (const end of ['error', 'cancelled'] as const) {
      const log = activeLog({ endsAfter: 'turn' })
      turn(log, end)
      expect([end, log.state?.ending]).toEqual([end, undefined])
    }
    const more = activeLog({ endsAfter: 'turn' })
    more.send(dana, 'message.send', { text: 'And this' })
    turn(more, 'end')
    expect(more.state?.ending).toBeUndefined()
    const usual = activeLog()
    turn(usual, 'end')
    expect(usual.state?.ending).toBeUndefined()
  })

  it('[S24] ends at once where its machine is out of contact by then', () => {
    const log = activeLog({ endsAfter: 'turn' })
    log.report({ type: 'turn.started', data: { turn: 't1' } })
    if (log.state) log.state = { ...log.state, staleSince: '2026-01-01T00:00:00.000Z' }
    log.report({ type: 'turn.ended', data: { turn: 't1', end: 'end' }, body: {} })
    expect(log.state?.status).toBe('completed')
  })
})
