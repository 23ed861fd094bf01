import type { Command, CommandOf } from '@hotline/protocol/command'
import { limits } from '@hotline/protocol/limits'
import { accept, type Context, type Decision, refuse } from '../decision.ts'
import { faultsOfRule, withEnd } from './check-rule.ts'
import { moved, type PolicyState, type StandingRule } from './policy-state.ts'
import { ruleWords } from './rule-words.ts'

/** What a command means for the policy of a project or of the server; undefined where it is about something else. */
export function decidePolicy(state: PolicyState, command: Command, context: Context): Decision | undefined {
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- no other command is about a policy
  switch (command.type) {
    case 'policy.set_rule':
      return setRule(state, command, context)
    case 'policy.move_rule':
      return moveRule(state, command)
    case 'policy.revoke_rule':
      return revokeRule(state, command)
    case 'policy.set_timeout':
      return setTimeout(state, command)
    default:
      return undefined
  }
}

/** A new rule, also where it takes the place of another: none is ever changed, so that its history is read in its stream. */
function setRule(state: PolicyState, command: CommandOf<'policy.set_rule'>, { now }: Context): Decision {
  const { before, replaces, ...text } = command.data
  const standing = state.rules ?? []
  const whole = withEnd(text, now)
  const [fault] = faultsOfRule(whole, now)
  if (fault !== undefined) return refuse('invalid_request', fault)
  if (replaces !== undefined && !standing.some(({ rule }) => rule === replaces)) return gone(standing, replaces)
  if (replaces === undefined && standing.length >= limits.policyRules) {
    return refuse('queue_full', `There are ${limits.policyRules} rules at most. Revoke some first.`)
  }
  if (before !== undefined && !standing.some(({ rule }) => rule === before)) {
    return refuse('invalid_request', 'The rule that it shall stand before is not there.')
  }
  const { effect, match, until, note } = whole
  return accept({
    type: 'policy.rule_set',
    subject: `rule:${command.id}`,
    data: {
      rule: command.id,
      effect,
      match,
      ...(until === undefined ? {} : { until }),
      ...(before === undefined ? {} : { before }),
      ...(replaces === undefined ? {} : { replaces }),
    },
    body: note === undefined ? {} : { note },
  })
}

/** Puts a rule elsewhere among the others; nothing is written where it stands there. */
function moveRule({ rules = [] }: PolicyState, { data }: CommandOf<'policy.move_rule'>): Decision {
  const { rule, before } = data
  const missing = [rule, before].find((id) => id !== null && !rules.some((one) => one.rule === id))
  if (typeof missing === 'string') return gone(rules, missing)
  if (rule === before) return refuse('invalid_request', 'A rule cannot stand before itself.')
  const isThere = moved(rules, data).every((one, at) => one.rule === rules[at]?.rule)
  return isThere ? accept() : accept({ type: 'policy.rule_moved', subject: `rule:${rule}`, data })
}

/** Takes a rule away. */
function revokeRule(state: PolicyState, command: CommandOf<'policy.revoke_rule'>): Decision {
  const { rule, effect } = command.data
  const standing = state.rules?.find((one) => one.rule === rule)
  if (!standing) return gone(state.rules ?? [], rule)
  if (standing.effect !== effect) {
    return refuse('invalid_request', `This rule does not ${effect}, as it was said. Look again.`)
  }
  return accept({ type: 'policy.rule_revoked', subject: `rule:${rule}`, data: { rule } })
}

/** What somebody saw is not there: says what stands in its place. */
function gone(rules: readonly StandingRule[], rule: string): Decision {
  const now = rules.find(({ replaced }) => replaced?.includes(rule))
  if (!now) return refuse('already_resolved', 'There is no such rule; it may have been revoked already.')
  const detail = `It was replaced at ${now.at}. In its place stands: ${ruleWords(now)}. Look at that one.`
  return refuse('already_resolved', detail, { rule: now.rule, by: now.by, at: now.at })
}

function setTimeout(state: PolicyState, { data }: CommandOf<'policy.set_timeout'>): Decision {
  const { risk, approvalTimeoutMs } = data
  const standing = risk === undefined ? state.approvalTimeoutMs : state.timeoutsByRisk?.[risk]
  if (approvalTimeoutMs === (standing ?? null)) return accept()
  return accept({
    type: 'policy.timeout_set',
    data: { approvalTimeoutMs, ...(risk === undefined ? {} : { risk }) },
  })
}
