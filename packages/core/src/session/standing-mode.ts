import type { EventOf } from '@hotline/protocol/events'
import { type PolicyModeName, policyModes } from '@hotline/protocol/policy-mode'
import type { SessionState, StandingMode } from './state.ts'

/** What an event says of the mode. */
export function modeSaid(event: EventOf<'policy.mode_set' | 'policy.mode_ended'>): StandingMode {
  const { actor: by, at, seq } = event
  if (event.type === 'policy.mode_ended') return { mode: 'ask', by, at, seq }
  const { mode, until } = event.data
  return { mode, ...(until === undefined ? {} : { until }), by, at, seq }
}

/**
 * Whether an answer that a mode gave has been taken back since: a later word in the log lets less through. `answer`: the mode
 * that gave it, and where in the log.
 */
export function isTakenBack(
  { policyMode }: Pick<SessionState, 'policyMode'>,
  answer: { mode: PolicyModeName; seq: number },
): boolean {
  if (!policyMode || policyMode.seq < answer.seq) return false
  return policyModes.indexOf(policyMode.mode) < policyModes.indexOf(answer.mode)
}
