import { elapsedText } from '@hotline/core/elapsed'
import { oneLine } from '@hotline/core/one-line'
import type { KnownEvent } from '@hotline/protocol/events'
import { describe, expect, it } from 'vitest'

/** An event with only what the line reads. */
const event = (type: string, data: object, body?: object): KnownEvent => ({ type, data, body }) as unknown as KnownEvent

describe('an event in one line', () => {
  it.each<[string, KnownEvent]>([
    [
      '[stdout] 12 passed, 0 failed',
      event('output.appended', { source: 'stdout', encoding: 'utf8', bytes: 1 }, { text: '12 passed,\n\t0  failed\n' }),
    ],
    ['[stderr]', event('output.appended', { source: 'stderr', encoding: 'utf8', bytes: 1 }, { text: '\n' })],
    [
      '[stdout] (7 bytes that are no text)',
      event('output.appended', { source: 'stdout', encoding: 'base64', bytes: 7 }, { text: 'AAAA' }),
    ],
    [
      'Message: Focus on the auth module',
      event('message.posted', { role: 'person' }, { text: 'Focus on the auth module' }),
    ],
    ['[agent] Understood', event('message.completed', {}, { text: 'Understood' })],
    ['[agent] Done.', event('message.posted', { role: 'agent' }, { text: 'Done.' })],
    ['Message: (erased)', event('message.posted', { role: 'person' })],
    ['Waiting for approval: Publish the package', event('approval.requested', {}, { title: 'Publish the package' })],
    ['Waiting for input: Which port?', event('question.asked', {}, { text: 'Which port?' })],
    ['Status: allowed', event('approval.resolved', { outcome: 'allowed' })],
    [
      'Status: denied - not on a Friday',
      event('approval.resolved', { outcome: 'denied' }, { reason: 'not on a Friday' }),
    ],
    ['Status: nobody answered in time: denied', event('approval.timed_out', {})],
    [
      'Approve src/a.ts in draft d1',
      event('draft.reviewed', { draft: 'd1', keep: 1, discard: 0 }, { keep: ['src/a.ts'], discard: [] }),
    ],
    [
      'Reject src/a.ts in draft d1 - no tests',
      event(
        'draft.reviewed',
        { draft: 'd1', keep: 0, discard: 1 },
        { keep: [], discard: ['src/a.ts'], reason: 'no tests' },
      ),
    ],
    [
      'Approve 2 files, reject b in draft d1',
      event('draft.reviewed', { draft: 'd1', keep: 2, discard: 1 }, { keep: ['a', 'c'], discard: ['b'] }),
    ],
    ['Approve 1 file in draft d1', event('draft.reviewed', { draft: 'd1', keep: 1, discard: 0 })],
    ['Abort session - enough', event('control.requested', { action: 'kill', ending: 'aborted' }, { reason: 'enough' })],
    ['Complete session', event('control.requested', { action: 'kill', ending: 'completed' })],
    ['Goal complete', event('goal.completed', {}, {})],
    ['Goal complete: login works', event('goal.completed', {}, { summary: 'login works' })],
    [
      'Status: active -> failed (agent exited, exit code 3)',
      event('session.state_changed', {
        from: 'active',
        to: 'failed',
        reason: 'agent_exited',
        exit: { code: 3, signal: null },
      }),
    ],
    [
      'Status: active -> aborted (requested) - enough',
      event('session.state_changed', { from: 'active', to: 'aborted', reason: 'requested' }, { note: 'enough' }),
    ],
    ['Status: out of contact', event('session.contact_lost', {})],
    ['Status: in contact again', event('session.contact_restored', {})],
    ['Status: turn ended', event('turn.ended', { end: 'end' })],
    ['Status: turn ended: error - overloaded', event('turn.ended', { end: 'error' }, { error: 'overloaded' })],
    [
      'Status: pause failed - no such process',
      event('control.failed', { action: 'pause' }, { reason: 'no such process' }),
    ],
    [
      'Status: interrupt goes further: 1 process that the agent had started in this turn was ended',
      event('control.escalated', { action: 'interrupt', processes: 1, afterMs: 15_000 }),
    ],
    [
      'Status: interrupt goes further: the agent itself was interrupted (SIGINT)',
      event('control.escalated', { action: 'interrupt', processes: 0, agent: true, afterMs: 30_000 }),
    ],
    [
      'Status: the same call 5 times in a row: npm test',
      event('loop.noticed', { step: 's', times: 5 }, { title: 'npm test' }),
    ],
    ['Status: It is late.', event('notice.posted', {}, { text: 'It is late.' })],
  ])('[S14] %s', (line, given) => {
    expect(oneLine(given)).toBe(line)
  })

  it('[S14] is one line, whatever is in it, and cut by whole characters where it is long', () => {
    const text = `a\u2028b\u0085c\r\nd${'\u{1f600}'.repeat(500)}`
    const line = oneLine(event('message.completed', {}, { text })) ?? ''
    expect(line).not.toMatch(/[\n\r\u0085\u2028\u2029]/u)
    expect(Array.from(line)).toHaveLength(200)
    expect(line.isWellFormed()).toBe(true)
    expect(line.endsWith('…')).toBe(true)
  })

  it('[S14] there is none for what is no news to a person', () => {
    for (const type of ['message.delta', 'step.started', 'turn.started', 'usage.reported']) {
      expect(oneLine(event(type, {}))).toBeUndefined()
    }
  })
})

describe('elapsed time', () => {
  it.each([
    [0, '0s'],
    [-5_000, '0s'],
    [999, '0s'],
    [1_000, '1s'],
    [45_000, '45s'],
    [59_999, '59s'],
    [60_000, '1m 0s'],
    [303_000, '5m 3s'],
    [3_599_999, '59m 59s'],
    [3_600_000, '1h 0m'],
    [7_800_000, '2h 10m'],
    [7_859_999, '2h 10m'],
    [360_000_000, '100h 0m'],
  ])('[S13] of %i ms is %s', (ms, text) => {
    expect(elapsedText(ms)).toBe(text)
  })
})
