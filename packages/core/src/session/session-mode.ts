import type { CommandOf } from '@hotline/protocol/command'
import { isLive } from '@hotline/protocol/session-status'
import type { PolicyMode } from '@hotline/protocol/policy-mode'
import { accept, type Context, type Decision, refuse } from '../decision.ts'
import { isOver } from '../policy/evaluate.ts'
import type { SessionState } from './state.ts'

const minuteMs = 60_000

/**
 * The mode that counts at some time (`now`: RFC 3339, UTC). Hands-free counts from when it was said to its end: where the
 * clock stands before that, somebody has set it back, and everything is asked.
 */
export function modeAt({ policyMode }: SessionState, now: string): PolicyMode {
  if (!policyMode) return { mode: 'ask' }
  const { mode, until, at } = policyMode
  if (mode !== 'hands_free') return { mode }
  const isNow = until !== undefined && !isOver(until, now) && Date.parse(at) <= Date.parse(now)
  return isNow ? { mode, until } : { mode: 'ask' }
}

/** What is not asked in this session from here on. */
export function setMode(
  state: SessionState,
  data: CommandOf<'policy.set_mode'>['data'],
  { now }: Pick<Context, 'now'>,
): Decision {
  if (!isLive(state.status) || state.ending) {
    return refuse('invalid_transition', 'The session is over or ends; nothing is asked in it any more.', {
      status: state.status,
    })
  }
  if (data.mode === 'hands_free') {
    const until = new Date(Date.parse(now) + data.minutes * minuteMs).toISOString()
    return accept({ type: 'policy.mode_set', data: { mode: data.mode, until } })
  }
  if ((state.policyMode?.mode ?? 'ask') === data.mode) return accept()
  return accept({ type: 'policy.mode_set', data: { mode: data.mode } })
}

/** The server's clock says that it is over. Early, late or double calls, and those that mean an earlier one, change nothing. */
export function endMode({ policyMode }: SessionState, { until }: CommandOf<'policy.end_mode'>['data']): Decision {
  if (policyMode?.mode !== 'hands_free' || policyMode.until !== until) return accept()
  return accept({ type: 'policy.mode_ended', data: { mode: policyMode.mode } })
}
