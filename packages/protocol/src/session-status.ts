/** Where a run of an agent stands. The last three are final; `interrupted` means that the agent's process is gone. */
export const sessionStatuses = [
  'queued',
  'starting',
  'active',
  'paused',
  'interrupted',
  'completed',
  'failed',
  'aborted',
] as const

/** Where a session stands. */
export type SessionStatus = (typeof sessionStatuses)[number]

/** Which change is allowed; everything else is refused. */
export const transitions: Record<SessionStatus, readonly SessionStatus[]> = {
  queued: ['starting', 'aborted'],
  starting: ['active', 'failed', 'aborted'],
  active: ['paused', 'completed', 'failed', 'aborted', 'interrupted'],
  paused: ['active', 'aborted', 'interrupted'],
  interrupted: ['starting', 'aborted'],
  completed: [],
  failed: [],
  aborted: [],
}

/** True while an agent is or may be at work, or can be taken up again. */
export function isLive(status: SessionStatus): boolean {
  return transitions[status].length > 0
}

/** True while a runner has, or is about to have, a process. */
export function holdsAgent(status: SessionStatus): boolean {
  return status === 'starting' || status === 'active' || status === 'paused'
}
