import type { CommandOf } from '@hotline/protocol/command'
import { limits } from '@hotline/protocol/limits'
import { accept, type Context, type Decision, refuse } from '../decision.ts'
import { faultsOfRule, withEnd } from '../policy/check-rule.ts'
import type { ProjectState } from './state.ts'

/** A new rule: never a change of one that stands, so that its history is read in its stream. */
export function setRule(state: ProjectState, command: CommandOf<'policy.set_rule'>, { now }: Context): Decision {
  const { before, ...text } = command.data
  const standing = state.rules ?? []
  const whole = withEnd(text, now)
  const [fault] = faultsOfRule(whole, now)
  if (fault !== undefined) return refuse('invalid_request', fault)
  if (standing.length >= limits.policyRules) {
    return refuse('queue_full', `A project has ${limits.policyRules} rules at most. Revoke some first.`)
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
    },
    body: note === undefined ? {} : { note },
  })
}

/** Takes a rule away. */
export function revokeRule(state: ProjectState, command: CommandOf<'policy.revoke_rule'>): Decision {
  const { rule, effect } = command.data
  const standing = state.rules?.find((one) => one.rule === rule)
  if (!standing) return refuse('already_resolved', 'There is no such rule; it may have been revoked already.')
  if (standing.effect !== effect) {
    return refuse('invalid_request', `This rule does not ${effect}, as it was said. Look again.`)
  }
  return accept({ type: 'policy.rule_revoked', subject: `rule:${rule}`, data: { rule } })
}
