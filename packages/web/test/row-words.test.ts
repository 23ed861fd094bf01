import type { SessionRow } from '@hotline/protocol/http'
import { describe, expect, it } from 'vitest'
import { asksOf, groupOf, isOver, whatOf } from '../src/list/row-words.ts'
import { seenRows } from '../src/list/seen-rows.ts'

const at = '2026-01-01T10:00:00.000Z'
const row: SessionRow = {
  session: 's1',
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
  since: at,
  reason: 'agent_ready',
  exit: null,
  ending: null,
  policyMode: null,
  createdAt: at,
  updatedAt: at,
}
const killed = { status: 'interrupted', reason: 'agent_lost', exit: { code: null, signal: 'SIGKILL' } }

describe('a row of the list', () => {
  it.each([
    [{}, 'demo · at work'],
    [{ turn: 'idle' }, 'demo · waits for you to write'],
    [{ openApprovals: ['a1'] }, 'demo · 1 to allow or deny'],
    [{ openApprovals: ['a1'], waitingApprovals: 12 }, 'demo · 1 to allow or deny, 12 more wait'],
    [{ turn: 'waiting' }, 'demo · changes to review'],
    [{ openApprovals: ['a1'], staleSince: at }, /^demo · 1 to allow or deny · out of contact since /],
    [{ staleSince: at }, /^demo · out of contact since /],
    [{ ending: 'aborted' }, 'demo · ending …'],
    [{ ending: 'aborted', staleSince: at }, /^demo · out of contact since .* · ending …$/],
    [killed, 'demo · waits to be resumed · the agent is gone, SIGKILL'],
    [{ ...killed, reason: 'agent_exited' }, 'demo · waits to be resumed · the agent was ended, SIGKILL'],
    [{ status: 'failed', reason: 'agent_exited', exit: { code: 3, signal: null } }, /ended by itself, exit code 3$/],
    [{ status: 'aborted', reason: 'requested' }, 'demo · ended by a person'],
  ])('[G41] of %j says where it stands, and why', (more, words) => {
    const said = whatOf({ ...row, ...more }, Date.parse(at) + 1_000)
    if (typeof words === 'string') expect(said).toBe(words)
    else expect(said).toMatch(words)
  })

  it.each([
    [{}, 'Working'],
    [{ status: 'starting' }, 'Working'],
    [{ turn: 'idle' }, 'Idle'],
    [{ status: 'paused' }, 'Idle'],
    [{ turn: 'watched' }, 'Watched'],
    [{ openQuestions: ['q1'] }, 'Needs you'],
    [{ turn: 'waiting' }, 'Needs you'],
    [killed, 'Agent gone'],
  ])('[G41] of %j stands with those of which the same is true', (more, group) => {
    expect(groupOf({ ...row, ...more })).toBe(group)
  })

  it.each([
    ['completed', 'Completed'],
    ['failed', 'Failed'],
    ['aborted', 'Ended'],
  ])('[G41] that is %s stands with those that ended alike', (status, group) => {
    const found = groupOf({ ...row, status })
    expect(found).toBe(group)
    expect(isOver(found)).toBe(true)
    expect(isOver(groupOf(row))).toBe(false)
  })
})

describe('a row with what the person who looks has put aside', () => {
  const now = Date.parse(at)
  const asks = { ...row, turn: 'waiting', openApprovals: ['a1', 'a2'], openQuestions: ['q1'] }
  const until = '2026-01-01T12:00:00.000Z'
  const seen = (...aside: string[]) => seenRows([asks], new Map(aside.map((ask) => [`s1/${ask}`, until])))[0] ?? asks

  it('[SN5] it is no more counted, and does not need them where nothing else does', () => {
    expect([asksOf(seen()), asksOf(seen('a1')), asksOf(seen('a1', 'a2', 'q1'))]).toEqual([3, 2, 0])
    expect([groupOf(seen('a1', 'q1')), groupOf(seen('a1', 'a2', 'q1'))]).toEqual(['Needs you', 'Idle'])
    expect(whatOf(seen('a1', 'q1'), now)).toMatch(/^demo · 1 to allow or deny, 2 snoozed until \d\d:00$/)
    expect(whatOf(seen('a1', 'a2', 'q1'), now)).toMatch(/^demo · 3 snoozed until \d\d:00$/)
    // What another session asks under the same id is another thing.
    expect(asksOf(seenRows([asks], new Map([['s2/a1', until]]))[0] ?? row)).toBe(3)
  })
})
