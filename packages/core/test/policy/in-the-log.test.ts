import { decideProject } from '@hotline/core/project/decide'
import { evolveProject } from '@hotline/core/project/evolve'
import { moved, type StandingRule } from '@hotline/core/policy/policy-state'
import type { ProjectState } from '@hotline/core/project/state'
import type { Context, Decision } from '@hotline/core/decision'
import { draftEvent } from '@hotline/core/draft-event'
import { needsPassword, sendersOf } from '@hotline/core/roles'
import { decideSession } from '@hotline/core/session/decide'
import type { CommandInput } from '@hotline/protocol/command'
import { type Command, parseCommand } from '@hotline/protocol/command'
import type { Envelope } from '@hotline/protocol/event'
import type { ApprovalRequest } from '@hotline/protocol/events/approval'
import { limits } from '@hotline/protocol/limits'
import type { PolicyRule } from '@hotline/protocol/policy'
import { describe, expect, it } from 'vitest'
import { activeLog, asking, code, dana, eli, type Log, runner, sha256, stream } from '../fixtures.ts'
import { now, ruleOf } from './requests.ts'

const project = 'project:p1'

type SetRule = CommandInput<'policy.set_rule'>

function command(
  type: 'policy.set_rule' | 'policy.move_rule' | 'policy.revoke_rule',
  data: unknown,
  id = 'r1',
): Command {
  const parsed = parseCommand({ id, stream: project, type, data })
  if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues))
  return parsed.command
}

/** A project with its log. */
class Board {
  state: ProjectState | undefined = { kind: 'project', project: 'p1', name: 'One', members: {} }
  events: Envelope[] = []

  send(sent: Command, actor = dana): Decision {
    const context: Context = { now, actor, sha256 }
    const decision = decideProject(this.state, sent, context)
    for (const draft of decision.ok ? decision.events : []) {
      const event = { ...draftEvent(project, draft, context), seq: this.events.length + 1 }
      this.events.push(event)
      this.state = evolveProject(this.state, event)
    }
    return decision
  }

  set(id: string, rule: SetRule): Decision {
    return this.send(command('policy.set_rule', rule, id))
  }

  get rules(): readonly StandingRule[] {
    return this.state?.rules ?? []
  }
}

const npmTest: SetRule = { effect: 'allow', match: { command: ['npm', 'test'] } }
const noPush: SetRule = { effect: 'deny', match: { command: ['git', 'push'] }, note: 'Only people push.' }

describe('the rules of a project', () => {
  it('[PO7] are written, ordered and taken away in its stream, which says by whom and when', () => {
    const board = new Board()
    expect(code(board.set('a', npmTest))).toBe('ok')
    expect(code(board.set('b', noPush))).toBe('ok')
    expect(code(board.set('c', { ...npmTest, before: 'a' }))).toBe('ok')
    expect(board.rules.map(({ rule }) => rule)).toEqual(['c', 'a', 'b'])
    expect(board.rules[1]).toEqual({ ...npmTest, rule: 'a', until: '2026-01-31T00:00:00.000Z', by: dana, at: now })
    expect(board.rules[2]).toMatchObject({ note: 'Only people push.' })
    expect(code(board.send(command('policy.revoke_rule', { rule: 'a', effect: 'allow' }), eli))).toBe('ok')
    expect(board.rules.map(({ rule }) => rule)).toEqual(['c', 'b'])
    expect(board.events.map(({ type, subject, actor }) => [type, subject, actor.id])).toEqual([
      ['policy.rule_set', 'rule:a', 'dana'],
      ['policy.rule_set', 'rule:b', 'dana'],
      ['policy.rule_set', 'rule:c', 'dana'],
      ['policy.rule_revoked', 'rule:a', 'eli'],
    ])
  })

  it('[PO7] are refused where they are none, too many, or not what somebody saw', () => {
    const board = new Board()
    expect(code(board.set('a', { effect: 'allow', match: { tool: 'Bash' } }))).toBe('invalid_request')
    expect(code(board.set('a', { ...npmTest, before: 'gone' }))).toBe('invalid_request')
    expect(code(board.send(command('policy.revoke_rule', { rule: 'a', effect: 'allow' })))).toBe('already_resolved')
    board.set('a', noPush)
    expect(code(board.send(command('policy.revoke_rule', { rule: 'a', effect: 'allow' })))).toBe('invalid_request')
    const rules = Array.from({ length: limits.policyRules }, (_, at): StandingRule => ({
      ...ruleOf(`r${at}`, { effect: 'deny', match: { tool: `t${at}` } }),
      by: dana,
      at: now,
    }))
    board.state = { kind: 'project', project: 'p1', name: 'One', members: {}, rules }
    expect(code(board.set('b', noPush))).toBe('queue_full')
    expect(board.events).toHaveLength(1)
  })

  it('[PO8] [PO41] that allow one exact thing take the right to decide; wider ones, and taking away what denies, an admin and the password', () => {
    const exact = { agent: 'claude', tool: 'Bash' }
    const sent = (rule: SetRule): Command => command('policy.set_rule', rule)
    const narrow = [
      sent({ effect: 'allow', match: { ...exact, command: ['npm', 'test'] } }),
      sent({ effect: 'allow', match: { ...exact, path: 'src/a.ts' } }),
      sent(noPush),
      sent({ effect: 'ask', match: { does: 'run' }, before: 'a' }),
      command('policy.revoke_rule', { rule: 'a', effect: 'allow' }),
    ]
    const wide = [
      sent(npmTest),
      sent({ effect: 'allow', match: { ...exact, path: 'src/' } }),
      sent({ effect: 'allow', match: { ...exact, command: ['npm', 'run', { any: 'word' }] } }),
      sent({ effect: 'allow', match: { ...exact, command: ['npm', 'test'] }, until: '2026-06-01T00:00:00.000Z' }),
      sent({ effect: 'allow', match: { ...exact, command: ['npm', 'test'] }, before: 'a' }),
      sent({ effect: 'allow', match: { agent: 'claude', command: ['npm', 'test'] } }),
      command('policy.revoke_rule', { rule: 'a', effect: 'deny' }),
      command('policy.revoke_rule', { rule: 'a', effect: 'ask' }),
      command('policy.move_rule', { rule: 'a', before: null }),
    ]
    for (const one of narrow) expect([sendersOf(one, undefined), needsPassword(one)]).toEqual([['decide'], false])
    for (const one of wide) expect([sendersOf(one, undefined), needsPassword(one)]).toEqual([['decide', 'admin'], true])
  })

  it('[PO40] are edited by one that takes the place, in one event that says which it replaced', () => {
    const board = new Board()
    for (const id of ['a', 'b', 'c']) board.set(id, { effect: 'deny', match: { tool: id } })
    expect(code(board.set('d', { effect: 'ask', match: { tool: 'x' }, note: 'Better.', replaces: 'b' }))).toBe('ok')
    expect(board.rules.map(({ rule }) => rule)).toEqual(['a', 'd', 'c'])
    expect(board.rules[1]).toMatchObject({ effect: 'ask', by: dana, replaced: ['b'], note: 'Better.' })
    expect(board.events).toHaveLength(4)
    expect(board.events.at(-1)).toMatchObject({ type: 'policy.rule_set', data: { rule: 'd', replaces: 'b' } })
    expect(code(board.set('e', { effect: 'allow', match: { path: 'src/' }, replaces: 'd' }))).toBe('ok')
    expect(board.rules[1]).toMatchObject({ rule: 'e', until: '2026-01-31T00:00:00.000Z', replaced: ['d', 'b'] })
  })

  it('[PO40] nothing is written in the place of what is gone, and it is said what stands there', () => {
    const board = new Board()
    board.set('a', noPush)
    board.set('b', { ...noPush, effect: 'ask', replaces: 'a' })
    board.set('c', { ...noPush, replaces: 'b' })
    const stale = [
      board.set('d', { ...noPush, replaces: 'a' }),
      board.send(command('policy.revoke_rule', { rule: 'b', effect: 'ask' })),
    ]
    for (const refused of stale) {
      expect(refused).toMatchObject({ ok: false, problem: { code: 'already_resolved', rule: 'c', by: dana } })
      expect(JSON.stringify(refused)).toContain('In its place stands: Deny commands with: git push.')
    }
    board.send(command('policy.revoke_rule', { rule: 'c', effect: 'deny' }))
    expect(JSON.stringify(board.set('d', { ...noPush, replaces: 'c' }))).toContain('may have been revoked')
    expect(board.rules).toEqual([])
    expect(board.events).toHaveLength(4)
  })

  it('[PO40] can be edited where there are as many as there can be; what is no rule takes no place', () => {
    const board = new Board()
    const rules = Array.from({ length: limits.policyRules }, (_, at): StandingRule => ({
      ...ruleOf(`r${at}`, { effect: 'deny', match: { tool: `t${at}` } }),
      by: dana,
      at: now,
    }))
    board.state = { kind: 'project', project: 'p1', name: 'One', members: {}, rules }
    expect(code(board.set('x', { effect: 'allow', match: { command: ['sudo', 'ls'] }, replaces: 'r1' }))).toBe(
      'invalid_request',
    )
    expect(code(board.set('x', { ...noPush, replaces: 'r1' }))).toBe('ok')
    expect(board.rules).toHaveLength(limits.policyRules)
    expect(board.rules[1]).toMatchObject({ rule: 'x' })
    const both = { ...noPush, replaces: 'x', before: 'r2' }
    expect(parseCommand({ id: 'y', stream: project, type: 'policy.set_rule', data: both })).toHaveProperty('issues')
  })

  it('[PO40] [PO8] [P20] to edit any takes an admin and the password, and what the new one takes by itself', () => {
    const exact = { agent: 'claude', tool: 'Bash' }
    const replacing = (rule: SetRule): Command => command('policy.set_rule', { ...rule, replaces: 'a' })
    const ordinary = [
      replacing(noPush),
      replacing({ effect: 'ask', match: { does: 'run' } }),
      replacing({ effect: 'allow', match: { ...exact, command: ['npm', 'test'] } }),
    ]
    for (const one of ordinary)
      expect([sendersOf(one, undefined), needsPassword(one)]).toEqual([['decide', 'admin'], true])
    const high = replacing({ effect: 'allow', match: { ...exact, command: ['git', 'push'] } })
    expect([sendersOf(high, undefined), needsPassword(high)]).toEqual([['decide', 'admin', 'decide_high'], true])
  })

  it('[PO41] are moved before another or after all others, and nowhere where one of the two is gone', () => {
    const board = new Board()
    for (const id of ['a', 'b', 'c']) board.set(id, { effect: 'ask', match: { tool: id } })
    const move = (rule: string, before: string | null): Decision =>
      board.send(command('policy.move_rule', { rule, before }), eli)
    const order = (): string => board.rules.map(({ rule }) => rule).join('')
    expect([code(move('c', 'a')), order()]).toEqual(['ok', 'cab'])
    expect([code(move('c', null)), order()]).toEqual(['ok', 'abc'])
    expect([code(move('a', 'c')), order()]).toEqual(['ok', 'bac'])
    expect(board.rules[1]).toMatchObject({ rule: 'a', by: dana, at: now })
    expect(board.events.at(-1)).toMatchObject({ type: 'policy.rule_moved', subject: 'rule:a', actor: eli })
    const written = board.events.length
    expect([code(move('a', 'c')), code(move('c', null)), order()]).toEqual(['ok', 'ok', 'bac'])
    expect(code(move('a', 'a'))).toBe('invalid_request')
    expect(board.events).toHaveLength(written)
    board.set('d', { effect: 'ask', match: { tool: 'd' }, replaces: 'b' })
    for (const gone of [move('b', 'c'), move('a', 'b'), move('x', null), move('a', 'x')]) {
      expect(code(gone)).toBe('already_resolved')
    }
    expect(order()).toBe('dac')
  })

  it('[PO41] a fold of what is not there moves nothing', () => {
    const rules = [{ rule: 'a' }, { rule: 'b' }]
    expect(moved(rules, { rule: 'x', before: 'a' })).toBe(rules)
    expect(moved(rules, { rule: 'b', before: 'x' })).toBe(rules)
  })

  it('[PO7] are no matter of a session', () => {
    const log = activeLog()
    expect(code(log.apply(dana, { ...command('policy.set_rule', noPush), stream }))).toBe('invalid_request')
  })
})

describe('a request that a rule answers', () => {
  const allow = ruleOf('may', { effect: 'allow', match: { command: ['npm', 'test'] } })
  const deny = ruleOf('no', { effect: 'deny', match: { command: ['rm'] }, note: 'Ask Dana.' })
  const context = (rules: readonly PolicyRule[], actor = runner, asked?: Context['asked']): Context => ({
    now: '2026-01-01T00:01:00.000Z',
    actor,
    channel: 'runner:r1',
    sha256,
    rules,
    asked,
  })
  const run = (text: string): string => JSON.stringify({ command: text })

  /** What the log has after an agent asked, as type and what matters. */
  function askedWith(
    log: Log,
    rules: readonly PolicyRule[] | undefined,
    input: string,
    facts: object = {},
    body: object = {},
  ) {
    const report = asking('a1', input, { ...facts })
    const parsed = parseCommand({
      id: 'x1',
      stream,
      type: 'agent.report',
      data: { fence: 1, events: [{ ...report, body: { ...report.body, ...body } }] },
    })
    if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues))
    const decision = decideSession(log.state, parsed.command, { ...context(rules ?? []), rules })
    return decision.ok ? decision.events : []
  }

  it('[PO9] is answered in the log with it, by the policy and with the rule; an agent is told why not', () => {
    expect(askedWith(activeLog(), [deny, allow], run('npm test'))).toMatchObject([
      { type: 'approval.requested', data: { approval: 'a1', risk: 'medium' } },
      {
        type: 'approval.resolved',
        subject: 'approval:a1',
        actor: { kind: 'system', id: 'policy' },
        data: { approval: 'a1', outcome: 'allowed', scope: 'once', rule: 'may' },
        body: {},
      },
    ])
    const reason = 'A rule of this project denies it: Deny commands with: rm. Ask Dana.'
    expect(askedWith(activeLog(), [deny, allow], run('rm x'))).toMatchObject([
      { type: 'approval.requested', data: { risk: 'high' } },
      { type: 'approval.resolved', data: { outcome: 'denied', rule: 'no' }, body: { reason } },
    ])
  })

  it('[PO9] is asked where none does, where the agent takes no yes, where something was masked, where a folder is to be trusted, and where nobody looked', () => {
    const types = (events: readonly { type: string }[]): string[] => events.map(({ type }) => type)
    const requested = ['approval.requested']
    expect(types(askedWith(activeLog(), [allow], run('npm run x')))).toEqual(requested)
    expect(types(askedWith(activeLog(), [allow], run('npm test'), { verdicts: ['deny'] }))).toEqual(requested)
    expect(types(askedWith(activeLog(), [allow], run('npm test'), { scopes: [] }))).toEqual(requested)
    expect(types(askedWith(activeLog(), [allow], run('npm test'), {}, { redacted: true }))).toEqual(requested)
    const exact = ruleOf('exact', { effect: 'allow', match: { input: sha256(run('npm test')) } })
    expect(types(askedWith(activeLog(), [exact], run('npm test')))).toEqual(['approval.requested', 'approval.resolved'])
    expect(types(askedWith(activeLog(), [exact], run('npm test'), { trusts: sha256(run('npm test')) }))).toEqual(
      requested,
    )
    const unseen = askedWith(activeLog(), undefined, run('npm test'))
    expect(types(unseen)).toEqual(requested)
    expect(unseen[0]?.data).not.toHaveProperty('risk')
  })

  it('[PO9] a risk that a runner reports is not believed', () => {
    expect(askedWith(activeLog(), [], run('rm x'), { risk: 'low' })).toMatchObject([{ data: { risk: 'high' } }])
  })

  it('[PO10] what denies wins over a person too, by the bytes that would run: as they were asked, or changed', () => {
    const log = activeLog()
    log.report(asking('a1', run('npm test'), { verdicts: ['allow', 'deny', 'modify'] }))
    const body: ApprovalRequest = { tool: 'bash', title: 'x', input: run('npm test'), cwd: '/tmp' }
    const digest = log.state?.approvals[0]?.digest
    const decide = (rules: readonly PolicyRule[], data: object): string => {
      const parsed = parseCommand({
        id: 'd1',
        stream,
        type: 'approval.decide',
        data: { approval: 'a1', digest, ...data },
      })
      if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues))
      return code(decideSession(log.state, parsed.command, context(rules, dana, new Map([['a1', body]]))))
    }
    const noTest = ruleOf('t', { effect: 'deny', match: { command: ['npm', 'test'] } })
    expect(decide([deny], { verdict: 'allow' })).toBe('ok')
    expect(decide([noTest], { verdict: 'allow' })).toBe('forbidden')
    expect(decide([noTest], { verdict: 'deny' })).toBe('ok')
    expect(decide([noTest], { verdict: 'modify', input: run('npm run x') })).toBe('ok')
    expect(decide([deny], { verdict: 'modify', input: run('rm -rf x') })).toBe('forbidden')
  })
})
