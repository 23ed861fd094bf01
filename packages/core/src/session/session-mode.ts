import type { CommandOf } from '@hotline/protocol/command'
import type { KnownDraft } from '@hotline/protocol/events'
import type { FileFence } from '@hotline/protocol/process-tree'
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
  // Where edits would be free later, "ask" is a word against it.
  if ((state.policyMode?.mode ?? 'ask') === data.mode && !state.freeEdits) return accept()
  return accept({ type: 'policy.mode_set', data: { mode: data.mode } })
}

/**
 * Edits are free from here on, where that was wished at the start and what its machine says of it now makes it so: what its agent
 * writes is in a place of its own, and so is what others run of that, behind its fence.
 */
export function freedEdits(
  { freeEdits, isolation, policyMode }: SessionState,
  fence: FileFence | undefined,
): readonly KnownDraft[] {
  const isOwn = isolation === 'worktree' || isolation === 'copy'
  if (!freeEdits || !isOwn || fence !== 'files' || policyMode) return []
  return [{ type: 'policy.mode_set', actor: freeEdits, data: { mode: 'edits_free' } }]
}

/** The server's clock says that it is over. Early, late or double calls, and those that mean an earlier one, change nothing. */
export function endMode({ policyMode }: SessionState, { until }: CommandOf<'policy.end_mode'>['data']): Decision {
  if (policyMode?.mode !== 'hands_free' || policyMode.until !== until) return accept()
  return accept({ type: 'policy.mode_ended', data: { mode: policyMode.mode } })
}
