import type { ApprovalRequest } from '@hotline/protocol/events/approval'
import type { HeldRule, PolicyRuleText } from '@hotline/protocol/policy'
import { policyRequest } from './deed.ts'
import { evaluate } from './evaluate.ts'
import { ruleWords } from './rule-words.ts'

/**
 * In a sentence, which of the `rules` that count for a project keeps one that is written after them from allowing even the
 * request that it is written for; undefined where it would allow that. Rules that are about the digest of an input are left
 * out: "always allow" writes none. `now`: RFC 3339, UTC.
 */
export function whyOutweighed(
  written: PolicyRuleText,
  rules: readonly HeldRule[],
  { asked, agent, now }: { asked: ApprovalRequest; agent: string; now: string },
): string | undefined {
  const policy = { rules: [...rules, { ...written, rule: 'written' }], mode: { mode: 'ask' } } as const
  const { effect, rule } = evaluate(policy, policyRequest(agent, asked), { now, sha256: () => '' })
  if (effect === 'allow' || !rule) return undefined
  const does = effect === 'deny' ? 'denies it' : 'goes on asking about it'
  return `A rule of this ${rule.of ?? 'project'} ${does}, and that wins: ${ruleWords(rule)}.`
}
