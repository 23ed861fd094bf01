import type { Actor } from '@hotline/protocol/actor'
import type { DraftOf } from '@hotline/protocol/events'
import type { ApprovalRequest } from '@hotline/protocol/events/approval'
import type { PolicyRule } from '@hotline/protocol/policy'
import type { Context } from '../decision.ts'
import { type Evaluation, evaluate } from './evaluate.ts'
import { ruleWords } from './rule-words.ts'

/** Whose answer it is where a rule gives it. */
const byPolicy: Actor = { kind: 'system', id: 'policy' }

/** What the rules of the project say of a request, with its own input or with another one in its place. */
export function judgeRequest(
  agent: string,
  asked: ApprovalRequest,
  rules: readonly PolicyRule[],
  context: Context,
): Evaluation {
  const { tool, input, cwd, opened, redacted } = asked
  const judged = evaluate({ rules, mode: { mode: 'ask' } }, { agent, tool, input, cwd, opened }, context)
  // What was masked nobody here has seen.
  return judged.effect === 'allow' && redacted === true ? { ...judged, effect: 'ask' } : judged
}

/** The answer of a rule to a request, as it goes into the log with it; undefined where a person is asked. */
export function answerOfRule(
  requested: DraftOf<'approval.requested'>,
  { effect, rule }: Evaluation,
): DraftOf<'approval.resolved'> | undefined {
  const { approval, digest, verdicts, scopes, trusts } = requested.data
  // What a folder brings is trusted by people alone.
  const canAllow = trusts === undefined && verdicts.includes('allow') && scopes.includes('once')
  if (!rule || effect === 'ask' || (effect === 'allow' && !canAllow)) return undefined
  return {
    type: 'approval.resolved',
    subject: `approval:${approval}`,
    actor: byPolicy,
    data: {
      approval,
      digest,
      outcome: effect === 'allow' ? 'allowed' : 'denied',
      scope: 'once',
      rule: rule.rule,
    },
    body: effect === 'allow' ? {} : { reason: denialWords(rule) },
  }
}

/** Why a rule keeps something from being done, for people and for agents. */
export function denialWords(rule: PolicyRule): string {
  const note = rule.note === undefined ? '' : ` ${rule.note}`
  return `A rule of this project denies it: ${ruleWords(rule)}.${note}`
}
