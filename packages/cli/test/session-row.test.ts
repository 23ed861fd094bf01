import { askKey } from '@hotline/core/account/ask-key'
import { describe, expect, it } from 'vitest'
import { rowLines } from '../src/session-row.ts'

const row = {
  session: '0199aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee',
  project: 'p',
  task: null,
  agent: 'demo',
  runner: null,
  title: 'T',
  status: 'active',
  turn: 'running',
  openApprovals: [],
  openQuestions: [],
  waitingApprovals: 0,
  answersUnderWay: 0,
  oldestApprovalAt: null,
  staleSince: null,
  since: '2026-01-02T03:04:05.000Z',
  reason: 'agent_ready',
  exit: null,
  ending: null,
  policyMode: null,
  createdAt: '2026-01-02T03:04:05.000Z',
  updatedAt: '2026-01-02T03:04:05.000Z',
}

describe('a session in a list', () => {
  it('[B4] says since when it is out of contact, with the day where that was another one', () => {
    const staleSince = '2026-03-04T12:30:01.000Z'
    const time = new Date(staleSince).toLocaleTimeString('en-GB')
    const soon = rowLines({ ...row, staleSince }, new Date(Date.parse(staleSince) + 1))
    expect(soon).toContain(`out of contact since ${time} `)
    const later = rowLines({ ...row, staleSince }, new Date(Date.parse(staleSince) + 3 * 86_400_000))
    expect(later).toMatch(new RegExp(`out of contact since 2026-03-0\\d ${time} `))
    expect(rowLines(row, new Date())).not.toContain('contact')
  })

  it('[B105] counts as needing you what was not put aside, and says what was', () => {
    const asking = { ...row, openApprovals: ['a1'], openQuestions: ['q1'], turn: 'waiting' }
    const aside = (...asks: string[]): ReadonlyMap<string, string> =>
      new Map(asks.map((ask) => [askKey(row.session, ask), '2026-01-02T04:04:05.000Z']))
    expect(rowLines(asking, new Date())).toContain(' NEEDS YOU 2 ')
    const one = rowLines(asking, new Date(), aside('a1'))
    expect(one).toContain(' NEEDS YOU 1 ')
    expect(one).toMatch(/asks: a1 \(snoozed\)\n +asks: q1 \(a question\)\n/)
    const both = rowLines(asking, new Date(), aside('a1', 'q1'))
    expect(both).toContain(' 2 snoozed ')
    expect(both).not.toContain('NEEDS YOU')
    expect(both).toContain('asks: q1 (a question, snoozed)\n')
    // Nobody else's, and of no other session.
    const other = new Map([[askKey('another', 'a1'), '2026-01-02T04:04:05.000Z']])
    expect(rowLines(asking, new Date(), other)).toContain(' NEEDS YOU 2 ')
  })

  it.each([
    [{ status: 'active', ending: 'aborted' }, 'ending (aborted)'],
    [{ status: 'failed', reason: 'agent_exited', exit: { code: 3, signal: null } }, 'exit code 3)'],
    [{ status: 'interrupted', reason: 'agent_lost', exit: { code: null, signal: 'SIGKILL' } }, 'is gone, SIGKILL)'],
    [{ status: 'failed', reason: 'start_failed' }, 'failed (could not be started)'],
    [{ status: 'aborted', reason: 'requested' }, 'aborted  '],
    [{ status: 'completed', reason: 'agent_exited', exit: { code: 0, signal: null } }, 'completed  '],
    [{ status: 'failed', reason: 'of_a_later_version' }, 'failed  '],
  ])('[B4] says of %j why', (more, words) => {
    expect(rowLines({ ...row, ...more }, new Date())).toContain(words)
  })

  it.each([
    [{ status: 'active' }, 45, ' 45s '],
    [{ status: 'paused' }, 303, ' 5m 3s '],
    [{ status: 'interrupted' }, 7_800, ' 2h 10m '],
    // What is over took as long as it took.
    [{ status: 'completed', since: '2026-01-02T03:05:05.000Z' }, 7_800, ' 1m 0s '],
    [{ status: 'aborted' }, 7_800, ' 0s '],
  ])('[S13] says of %j how long it has taken', (more, seconds, text) => {
    const now = new Date(Date.parse(row.createdAt) + seconds * 1_000)
    expect(rowLines({ ...row, ...more }, now)).toContain(text)
  })
})
