import { decideAccount } from '@hotline/core/account/decide'
import { evolveAccount } from '@hotline/core/account/evolve'
import { snoozeEndMs } from '@hotline/core/account/snooze-end'
import { type AccountState, snoozeOf } from '@hotline/core/account/state'
import type { Context, Decision } from '@hotline/core/decision'
import { decideSession } from '@hotline/core/session/decide'
import { draftEvent } from '@hotline/core/draft-event'
import { parseCommand } from '@hotline/protocol/command'
import { limits } from '@hotline/protocol/limits'
import { describe, expect, test } from 'vitest'
import { activeLog, code, dana, sha256 } from './fixtures.ts'

const minuteMs = 60_000
const startMs = Date.parse('2026-01-01T12:00:00.000Z')
const at = (minutes: number): string => new Date(startMs + minutes * minuteMs).toISOString()

/** What one person has put aside, at a time that the test says; `a` ends after an hour, `soon` after ten minutes, `q` never. */
function ownLog() {
  let state: AccountState | undefined
  let sent = 0
  return {
    get state() {
      return state
    },
    send: (minutes: number, type: string, data: object): Decision => {
      const parsed = parseCommand({ id: `c${(sent += 1)}`, stream: 'account:dana', type, data })
      if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues))
      const context: Context = {
        now: at(minutes),
        actor: dana,
        sha256,
        openAsks: new Map([
          ['s1/a', { project: 'p1', endsMs: startMs + 60 * minuteMs }],
          ['s1/soon', { project: 'p1', endsMs: startMs + 10 * minuteMs }],
          ['s1/q', { project: 'p1' }],
          ...Array.from({ length: limits.snoozes + 1 }, (_, of) => [`s2/q${of}`, { project: 'p1' }] as const),
        ]),
      }
      const decision = decideAccount(state, parsed.command, context)
      if (decision.ok)
        for (const draft of decision.events) {
          state = evolveAccount(state, draftEvent('account:dana', draft, context))
        }
      return decision
    },
  }
}

const snooze = (ask: string, minutes: number) => ['ask.snooze', { session: 's1', ask, until: at(minutes) }] as const

describe('what a person puts aside', () => {
  test('[SN1] it is aside until its time, and then no more, without anybody saying so', () => {
    const log = ownLog()
    expect(log.send(0, ...snooze('q', 15))).toMatchObject({ ok: true, facts: { until: at(15) } })
    const q = { session: 's1', ask: 'q' }
    expect(snoozeOf(log.state, q, at(14))).toEqual({ project: 'p1', ...q, until: at(15) })
    expect(snoozeOf(log.state, q, at(15))).toBeUndefined()
    // Longer, shorter, and back: what was said last holds.
    log.send(1, ...snooze('q', 120))
    log.send(2, ...snooze('q', 60))
    expect(log.state?.snoozed).toEqual([{ project: 'p1', ...q, until: at(60) }])
    expect(log.send(3, 'ask.unsnooze', q)).toMatchObject({ events: [{ type: 'ask.unsnoozed' }] })
    expect(log.state?.snoozed).toEqual([])
    expect(log.send(4, 'ask.unsnooze', q)).toMatchObject({ ok: true, events: [] })
  })

  test('[SN2] it comes back ten minutes before its own time ends, or in the middle of what is left where that is less than twenty', () => {
    const log = ownLog()
    expect(log.send(0, ...snooze('a', 600))).toMatchObject({ facts: { until: at(50) } })
    expect(log.send(0, ...snooze('a', 45))).toMatchObject({ facts: { until: at(45) } })
    expect(log.send(0, ...snooze('soon', 60))).toMatchObject({ facts: { until: at(5) } })
    expect(log.send(6, ...snooze('soon', 60))).toMatchObject({ facts: { until: at(8) } })
    expect(log.send(8.5, ...snooze('soon', 60))).toMatchObject({ ok: false, problem: { code: 'invalid_request' } })
    for (let leftMs = 0; leftMs < 40 * minuteMs; leftMs += 7_777) {
      const end = snoozeEndMs(startMs + 24 * 60 * minuteMs, startMs, startMs + leftMs)
      if (end === 'too late') expect(leftMs).toBeLessThan(2 * minuteMs)
      else {
        expect(end).toBeGreaterThan(startMs)
        expect(startMs + leftMs - end).toBeGreaterThanOrEqual(minuteMs)
      }
    }
  })

  test('[SN3] a time that is over or further than thirty days, and what nobody asks, are refused in words, and nothing is written', () => {
    const log = ownLog()
    expect(code(log.send(1, ...snooze('q', 1)))).toBe('invalid_request')
    expect(code(log.send(1, ...snooze('q', -60)))).toBe('invalid_request')
    expect(code(log.send(1, ...snooze('q', 1 + 30 * 24 * 60 + 1)))).toBe('invalid_request')
    expect(code(log.send(1, ...snooze('gone', 60)))).toBe('already_resolved')
    expect(code(log.send(1, 'task.remove', {}))).toBe('invalid_request')
    expect(log.state).toBeUndefined()
    expect(code(log.send(1, ...snooze('q', 1 + 30 * 24 * 60)))).toBe('ok')
    const parsed = parseCommand({
      id: 'c',
      stream: 'session:s1',
      type: 'ask.unsnooze',
      data: { session: 's', ask: 'a' },
    })
    if ('issues' in parsed) throw new Error('no command')
    const { state } = activeLog()
    expect(code(decideSession(state, parsed.command, { now: at(0), actor: dana, sha256 }))).toBe('invalid_request')
  })

  test('[SN3] no more than five hundred are aside at once; what has come back makes room', () => {
    const log = ownLog()
    const put = (of: number, minutes: number, until: number) =>
      log.send(minutes, 'ask.snooze', { session: 's2', ask: `q${of}`, until: at(until) })
    for (let of = 0; of < limits.snoozes; of += 1) expect(put(of, 0, 10).ok).toBe(true)
    expect(code(put(limits.snoozes, 1, 10))).toBe('queue_full')
    // One that is aside already takes no more room.
    expect(put(0, 1, 20).ok).toBe(true)
    expect(put(limits.snoozes, 11, 20).ok).toBe(true)
    expect(log.state?.snoozed).toHaveLength(2)
  })
})
