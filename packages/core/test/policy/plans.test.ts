import { policyRequest, type PolicyRequest, readDeed } from '@hotline/core/policy/deed'
import { faultsOfRule } from '@hotline/core/policy/check-rule'
import { riskOfRequest } from '@hotline/core/policy/risk'
import { ruleForAsked } from '@hotline/core/policy/rule-for'
import { wordToType } from '@hotline/core/policy/shape'
import type { ApprovalRequest } from '@hotline/protocol/events/approval'
import { expect, it } from 'vitest'
import { sha256 } from '../fixtures.ts'
import { cwd, judge, now, ruleOf } from './requests.ts'

const text = '# Plan\n1. rm -rf build\n2. git push'
const until = '2026-02-01T00:00:00.000Z'
const asked: ApprovalRequest = { tool: 'ExitPlanMode', title: 'Go ahead', input: text, cwd, plan: true }
const plan: PolicyRequest = policyRequest('claude', asked)

it('[PO31] a plan is of medium risk, so that a click is enough, and its words are no commands', () => {
  expect(readDeed(plan)).toEqual({ does: 'plan' })
  expect(riskOfRequest(plan)).toMatchObject({ risk: 'medium', why: [expect.stringContaining('planned')] })
  expect(wordToType(plan, 'medium')).toBeUndefined()
  // What deceives the eye is typed here as everywhere.
  expect(wordToType({ ...plan, input: `${text}\u202e` }, 'medium')).toMatchObject({ word: 'allow' })
})

it('[PO31] a name of a tool makes no plan of anything', () => {
  const named = policyRequest('acp', { tool: 'ExitPlanMode', title: 'x', input: text, cwd })
  expect(readDeed(named)).toMatchObject({ does: 'other' })
  expect(riskOfRequest(named).risk).toBe('high')
})

it('[PO31] no rule allows a plan, no mode answers it, and none can be written', () => {
  const exact = ruleOf('exact', { effect: 'allow', match: { tool: 'ExitPlanMode', input: sha256(text) } })
  expect(judge([exact], plan).effect).toBe('ask')
  for (const mode of [{ mode: 'edits_free' }, { mode: 'hands_free', until }] as const) {
    expect(judge([exact], plan, mode).effect).toBe('ask')
  }
  expect(ruleForAsked(asked, 'claude', now)).toMatchObject({ ok: false, why: 'it is a decision of its own each time' })
  for (const match of [{ does: 'plan' as const }, { does: 'plan' as const, input: sha256(text) }]) {
    expect(faultsOfRule({ effect: 'allow', match, until }, now)).toContain('A plan is approved by people alone.')
  }
})

it('[PO31] a rule can deny plans', () => {
  const no = ruleOf('no', { effect: 'deny', match: { does: 'plan' } })
  expect(judge([no], plan)).toMatchObject({ effect: 'deny', rule: no })
})
