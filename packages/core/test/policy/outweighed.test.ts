import { whyOutweighed } from '@hotline/core/policy/outweighed'
import { ruleForAsked } from '@hotline/core/policy/rule-for'
import type { ApprovalRequest } from '@hotline/protocol/events/approval'
import type { HeldRule, PolicyMatch, PolicyRuleText } from '@hotline/protocol/policy'
import { expect, it } from 'vitest'
import { now, ruleOf } from './requests.ts'

const asked: ApprovalRequest = { tool: 'Bash', title: 'x', input: '{"command":"npm test"}', cwd: '/w' }
const ask = (match: PolicyMatch, of?: 'server'): HeldRule => ({
  ...ruleOf('asks', { effect: 'ask', match }),
  ...(of ? { of } : {}),
})
const why = (...rules: readonly HeldRule[]): string | undefined =>
  whyOutweighed(always(), rules, { asked, agent: 'claude', now })

function always(): PolicyRuleText {
  const found = ruleForAsked(asked, 'claude', now)
  if (!found.ok) throw new Error(found.why)
  return found.rule
}

it('[PO42] what would go on asking or denying, of the server or the project, is said of a rule before it is written', () => {
  expect(why()).toBeUndefined()
  expect(why(ask({ command: ['npm'] }, 'server'))).toBe(
    'A rule of this server goes on asking about it, and that wins: Ask about commands with: npm.',
  )
  expect(why(ask({ does: 'run' }))).toBe(
    'A rule of this project goes on asking about it, and that wins: Ask about commands.',
  )
  const deny = ruleOf('no', { effect: 'deny', match: { command: ['test'] } })
  expect(why({ ...deny, match: { command: ['npm', 'test'] } })).toContain('denies it, and that wins')
})

it('[PO42] nothing is said where it would count: other rules are about other things, over, or stand behind', () => {
  expect(why(ask({ command: ['git'] }, 'server'))).toBeUndefined()
  expect(why({ ...ask({ does: 'run' }), until: '2020-01-01T00:00:00.000Z' })).toBeUndefined()
  const before = ruleOf('may', { effect: 'allow', match: { command: ['npm', 'test'] } })
  expect(why(before, ask({ does: 'run' }))).toBeUndefined()
  expect(why(before, ask({ does: 'run' }, 'server'))).toContain('of this server')
})
