import type { Actor } from '@hotline/protocol/actor'
import type { DataOf, DraftOf } from '@hotline/protocol/events'
import type { ApprovalRequest, Scope, Verdict } from '@hotline/protocol/events/approval'
import type { HeldRule } from '@hotline/protocol/policy'
import type { Context } from '../decision.ts'
import { policyRequest } from './deed.ts'
import { type Evaluation, evaluate, type Policy } from './evaluate.ts'
import { ruleWords } from './rule-words.ts'

/** Whose answer it is where a rule or a mode gives it. */
const byPolicy: Actor = { kind: 'system', id: 'policy' }

/** What the rules that count for the project, and the mode of the session, say of a request, with its own input or with another in its place. */
export function judgeRequest(agent: string, asked: ApprovalRequest, policy: Policy, context: Context): Evaluation {
  const judged = evaluate(policy, policyRequest(agent, asked), context)
  // What was masked nobody here has seen.
  return judged.effect === 'allow' && asked.redacted === true ? { ...judged, effect: 'ask' } : judged
}

/** What an answer has to fit, of a request. */
interface Answerable {
  approval: string
  digest: string
  verdicts: readonly Verdict[]
  scopes: readonly Scope[]
  trusts?: string | undefined
}

/**
 * The answer of a rule or a mode to a request, as it goes into the log with it; undefined where a person is asked. `said`: who
 * switched the mode on.
 */
export function answerOf(
  asked: Answerable,
  { effect, rule, mode }: Evaluation,
  said: Actor | undefined,
): DraftOf<'approval.resolved'> | undefined {
  const { approval, digest, verdicts, scopes, trusts } = asked
  // What a folder brings is trusted by people alone.
  const canAllow = trusts === undefined && verdicts.includes('allow') && scopes.includes('once')
  if (effect === 'ask' || (effect === 'allow' && !canAllow)) return undefined
  const because = rule ? byRule(rule) : mode && said ? { mode: { mode, by: said } } : undefined
  if (!because) return undefined
  return {
    type: 'approval.resolved',
    subject: `approval:${approval}`,
    actor: byPolicy,
    data: {
      approval,
      digest,
      outcome: effect === 'allow' ? 'allowed' : 'denied',
      scope: 'once',
      ...because,
    },
    body: effect === 'deny' && rule ? { reason: denialWords(rule) } : {},
  }
}

function byRule({ rule, of }: HeldRule): Pick<DataOf<'approval.resolved'>, 'rule' | 'ruleOf'> {
  return { rule, ...(of === undefined ? {} : { ruleOf: of }) }
}

/** Why a rule keeps something from being done, for people and for agents. */
export function denialWords(rule: HeldRule): string {
  const note = rule.note === undefined ? '' : ` ${rule.note}`
  return `A rule of this ${rule.of ?? 'project'} denies it: ${ruleWords(rule)}.${note}`
}
