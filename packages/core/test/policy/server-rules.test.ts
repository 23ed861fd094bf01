import { lintRules } from '@hotline/core/policy/lint'
import { heldPolicy } from '@hotline/core/policy/policy-state'
import { decideServer } from '@hotline/core/server/decide'
import { evolveServer } from '@hotline/core/server/evolve'
import type { ServerState } from '@hotline/core/server/server-state'
import type { Context } from '@hotline/core/decision'
import { draftEvent } from '@hotline/core/draft-event'
import { needsPassword, sendersOf } from '@hotline/core/roles'
import { type Command, parseCommand } from '@hotline/protocol/command'
import type { DraftOf } from '@hotline/protocol/events'
import { ApprovalRequest } from '@hotline/protocol/events/approval'
import type { HeldRule, PolicyEffect, PolicyMatch } from '@hotline/protocol/policy'
import { serverStream } from '@hotline/protocol/stream'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { activeLog, asking, code, dana, digestOf, sha256 } from '../fixtures.ts'
import { allowing, bash, edit, judge, now, ruleOf } from './requests.ts'

const effects: readonly PolicyEffect[] = ['deny', 'ask', 'allow']
const ofServer = (rule: HeldRule): HeldRule => ({ ...rule, rule: `server-${rule.rule}`, of: 'server' })
const rule = (effect: PolicyEffect, match: PolicyMatch): HeldRule => ruleOf(`${effect}-it`, { effect, match })
const test = { command: ['npm', 'test'] }

describe('rules of the server', () => {
  it('[PO35] of what the two lists say the stricter counts, and where one says nothing the other does', () => {
    const said: (PolicyEffect | undefined)[] = [...effects, undefined]
    for (const server of said) {
      for (const project of said) {
        const rules = [...(server ? [ofServer(rule(server, test))] : []), ...(project ? [rule(project, test)] : [])]
        const stricter = effects.find((effect) => effect === server || effect === project) ?? 'ask'
        const found = judge(rules, bash('npm test'))
        expect(found.effect, `server ${server}, project ${project}`).toBe(stricter)
        // Of two that say the same the server's is named.
        const expected = server === stricter ? 'server' : undefined
        expect(found.rule?.of, `server ${server}, project ${project}`).toBe(expected)
      }
    }
  })

  it('[PO35] in each list the first that fits counts, wherever the rules of the other stand', () => {
    const insists = ofServer(rule('ask', { does: 'run' }))
    const but = ofServer(allowing('npm', 'test'))
    const project = allowing('npm', 'run', 'x')
    expect(judge([but, insists], bash('npm test')).effect).toBe('allow')
    expect(judge([insists, but], bash('npm test')).effect).toBe('ask')
    for (const order of [
      [but, insists, project],
      [project, but, insists],
    ]) {
      expect(judge(order, bash('npm run x')), 'the server insists').toMatchObject({ effect: 'ask', rule: insists })
    }
    // A rule comes before a mode, the server's as well.
    expect(judge([insists], bash('ls'), { mode: 'hands_free', until: '2026-01-02T00:00:00.000Z' }).effect).toBe('ask')
  })

  it('[PO35] nothing that one of the lists denies, or alone would ask, gets through by the other in any order', () => {
    const texts: [PolicyEffect, PolicyMatch][] = [
      ['allow', test],
      ['allow', { command: ['git', 'push'] }],
      ['allow', { path: 'src/' }],
      ['ask', { does: 'run' }],
      ['ask', { path: 'src/a.ts' }],
      ['deny', { command: ['git'] }],
      ['deny', { path: '.github/' }],
    ]
    const all = texts.flatMap(([effect, match], at) => {
      const one = { ...rule(effect, match), rule: `r${at}` }
      return [one, ofServer(one)]
    })
    const requests = [bash('npm test'), bash('git push'), edit('src/a.ts'), edit('.github/workflows/x.yml')]
    fc.assert(
      fc.property(fc.shuffledSubarray(all), fc.constantFrom(...requests), (order, request) => {
        const { effect } = judge(order, request)
        const lists = [order.filter(({ of }) => of === 'server'), order.filter(({ of }) => of !== 'server')]
        const alone = lists.map((list) => judge(list, request))
        const isDenied = alone.some((one) => one.effect === 'deny')
        const isAsked = alone.some((one) => one.effect === 'ask' && one.rule)
        expect(effect === 'deny').toBe(isDenied)
        if (isAsked) expect(effect).not.toBe('allow')
        if (effect === 'allow') expect(alone.some((one) => one.effect === 'allow')).toBe(true)
      }),
    )
  })

  it('[PO35] their writers are told what the other list keeps from counting', () => {
    const why = (rules: readonly HeldRule[]): readonly string[] => lintRules(rules, now).map((one) => one.why)
    const insists = ofServer(rule('ask', test))
    expect(why([insists, allowing('npm', 'test')])).toEqual([
      'Some of it is asked because of a rule of the server, and that wins.',
    ])
    expect(why([ofServer(allowing('npm', 'test')), rule('ask', test)])).toEqual([
      'Some of it is asked because of a rule of the project, and that wins.',
    ])
    expect(why([ofServer(rule('deny', test)), allowing('npm', 'test')])).toEqual([
      'Some of it is denied by another rule, and that wins.',
    ])
  })
})

describe('an approval under a rule of the server', () => {
  const rules = [ofServer(ruleOf('no', { effect: 'deny', match: { command: ['npm'] }, note: 'Never.' }))]

  it('[PO36] is answered in the log with whose rule it is, and its agent is told so', () => {
    const log = activeLog()
    log.rules = rules
    log.report(asking('a1', '{"command":"npm test"}'))
    expect(log.events.at(-1)).toMatchObject({
      type: 'approval.resolved',
      actor: { id: 'policy' },
      data: { outcome: 'denied', rule: 'server-no', ruleOf: 'server' },
      body: { reason: 'A rule of this server denies it: Deny commands with: npm. Never.' },
    })
  })

  it('[PO36] [PO10] is denied to a person who allows, where the rule came after it was asked', () => {
    const log = activeLog()
    log.report(asking('a1', '{"command":"npm test"}'))
    log.rules = rules
    const [asked] = log.events.flatMap(({ type, body }) => (type === 'approval.requested' ? [body] : []))
    log.asked = new Map([['a1', ApprovalRequest.parse(asked)]])
    const answer = log.send(dana, 'approval.decide', { approval: 'a1', digest: digestOf(log, 'a1'), verdict: 'allow' })
    expect(code(answer)).toBe('forbidden')
    expect(JSON.stringify(answer)).toContain('A rule of this server denies it')
  })
})

describe('the stream of the server', () => {
  const context: Context = { now, actor: dana, sha256 }
  const commandOf = (type: string, data: object, stream = serverStream): Command => {
    const parsed = parseCommand({ id: 'c1', stream, type, data })
    if ('issues' in parsed) throw new Error(JSON.stringify(parsed.issues))
    return parsed.command
  }

  it('[PO35] [PO40] keeps its rules and times among what is not about them, and is nothing before the first', () => {
    let state: ServerState | undefined
    const apply = (type: string, data: object, id: string): void => {
      const decision = decideServer(state, { ...commandOf(type, data), id }, context)
      if (!decision.ok) throw new Error(decision.problem.detail)
      for (const draft of decision.events) {
        state = evolveServer(state, { ...draftEvent(serverStream, draft, context), seq: 1 })
      }
    }
    const draft: DraftOf<'account.disabled'> = { type: 'account.disabled', data: { account: 'a' } }
    const other = { ...draftEvent(serverStream, draft, context), seq: 1 }
    expect(evolveServer(undefined, other)).toBeUndefined()
    apply('policy.set_rule', { effect: 'deny', match: { tool: 'x' } }, 'one')
    apply('policy.set_rule', { effect: 'ask', match: { tool: 'y' }, before: 'one' }, 'two')
    apply('policy.set_timeout', { approvalTimeoutMs: 60_000, risk: 'high' }, 'three')
    expect(evolveServer(state, other)).toBe(state)
    expect(state).toMatchObject({
      kind: 'server',
      rules: [
        { rule: 'two', of: 'server' },
        { rule: 'one', of: 'server' },
      ],
      timeoutsByRisk: { high: 60_000 },
    })
    expect(heldPolicy(state ?? {}, { rules: [{ ...rule('ask', test), by: dana, at: now }] }).rules).toHaveLength(3)
    apply('policy.set_rule', { effect: 'deny', match: { tool: 'z' }, replaces: 'two' }, 'edited')
    expect(state?.rules).toMatchObject([
      { rule: 'edited', of: 'server', replaced: ['two'] },
      { rule: 'one', of: 'server' },
    ])
    apply('policy.revoke_rule', { rule: 'edited', effect: 'deny' }, 'four')
    expect(state?.rules).toHaveLength(1)
  })

  it('[PO36] is written by the scope "admin" and the password alone, whatever the rule; what is no rule is refused', () => {
    for (const effect of effects) {
      const set = commandOf('policy.set_rule', { effect, match: { agent: 'demo', tool: 'Bash', ...test } })
      expect(sendersOf(set, undefined), effect).toEqual(['decide', 'admin'])
      const revoke = commandOf('policy.revoke_rule', { rule: 'r', effect })
      expect(sendersOf(revoke, undefined), effect).toEqual(['decide', 'admin'])
      expect([set, revoke].every(needsPassword), effect).toBe(true)
    }
    const high = commandOf('policy.set_rule', { effect: 'allow', match: { command: ['git', 'push'] } })
    expect(sendersOf(high, undefined)).toEqual(['decide', 'admin', 'decide_high'])
    expect(needsPassword(commandOf('policy.set_timeout', { approvalTimeoutMs: null }))).toBe(true)
    expect(code(decideServer(undefined, commandOf('project.rename', { name: 'x' }), context))).toBe('invalid_request')
  })
})
