import type { TaskStatus } from '@hotline/protocol/task-api'

/** How a session stands in the words of the Task API, by its status and by what its agent does. */
export function taskStatusOf({ status, turn }: { status: string; turn: string }): TaskStatus {
  switch (status) {
    case 'queued':
    case 'starting':
      return 'pending'
    case 'active':
      return turn === 'waiting' ? 'waiting_approval' : turn === 'idle' ? 'idle' : 'running'
    case 'aborted':
      return 'cancelled'
    case 'paused':
    case 'interrupted':
    case 'completed':
      return status
    default:
      return 'failed'
  }
}

/** Which sessions have a status of the Task API. */
export const sessionsOfStatus: Record<TaskStatus, { statuses: readonly string[]; turns?: readonly string[] }> = {
  pending: { statuses: ['queued', 'starting'] },
  running: { statuses: ['active'], turns: ['running', 'watched'] },
  waiting_approval: { statuses: ['active'], turns: ['waiting'] },
  idle: { statuses: ['active'], turns: ['idle'] },
  paused: { statuses: ['paused'] },
  interrupted: { statuses: ['interrupted'] },
  completed: { statuses: ['completed'] },
  failed: { statuses: ['failed'] },
  cancelled: { statuses: ['aborted'] },
}

/** Nothing goes on any more, or nothing until somebody says what to do. */
export function isAtEnd(status: TaskStatus): boolean {
  return !['pending', 'running', 'waiting_approval', 'paused'].includes(status)
}
