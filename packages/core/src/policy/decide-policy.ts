import type { Command, CommandOf } from '@hotline/protocol/command'
import { limits } from '@hotline/protocol/limits'
import { accept, type Context, type Decision, refuse } from '../decision.ts'
import { faultsOfRule, withEnd } from './check-rule.ts'
import type { PolicyState } from './policy-state.ts'

/** What a command means for the policy of a project or of the server; undefined where it is about something else. */
export function decidePolicy(state: PolicyState, command: Command, context: Context): Decision | undefined {
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- no other command is about a policy
  switch (command.type) {
    case 'policy.set_rule':
      return setRule(state, command, context)
    case 'policy.revoke_rule':
      return revokeRule(state, command)
    case 'policy.set_timeout':
      return setTimeout(state, command)
    default:
      return undefined
  }
}

/** A new rule: never a change of one that stands, so that its history is read in its stream. */
function setRule(state: PolicyState, command: CommandOf<'policy.set_rule'>, { now }: Context): Decision {
  const { before, ...text } = command.data
  const standing = state.rules ?? []
  const whole = withEnd(text, now)
  const [fault] = faultsOfRule(whole, now)
  if (fault !== undefined) return refuse('invalid_request', fault)
  if (standing.length >= limits.policyRules) {
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
    },
    body: note === undefined ? {} : { note },
  })
}

/** Takes a rule away. */
function revokeRule(state: PolicyState, command: CommandOf<'policy.revoke_rule'>): Decision {
  const { rule, effect } = command.data
  const standing = state.rules?.find((one) => one.rule === rule)
  if (!standing) return refuse('already_resolved', 'There is no such rule; it may have been revoked already.')
  if (standing.effect !== effect) {
    return refuse('invalid_request', `This rule does not ${effect}, as it was said. Look again.`)
  }
  return accept({ type: 'policy.rule_revoked', subject: `rule:${rule}`, data: { rule } })
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
