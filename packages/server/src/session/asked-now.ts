import { openApprovals, type SessionState } from '@hotline/core/session/state'

/** Something that is open now. */
export interface AskedNow {
  project: string
  /** When its time is over, in wall milliseconds, if it goes on from now; absent where it never is. */
  endsMs?: number
}

/** What a session asks under this id; undefined where that is not open. */
export function askedNow(state: SessionState, ask: string, nowMs: number): AskedNow | undefined {
  const { project } = state
  if (state.questions.some(({ question }) => question === ask)) return { project }
  const approval = openApprovals(state).find((one) => one.approval === ask)
  if (!approval) return undefined
  // While the session is paused its time stands: so much is left as there was when that began.
  const stoodMs = state.status === 'paused' ? Math.max(0, nowMs - Date.parse(state.since)) : 0
  return { project, endsMs: Date.parse(approval.expiresAt) + stoodMs }
}
