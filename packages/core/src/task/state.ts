import type { Assignee, TaskColumn, TaskPriority, TaskSession } from '@hotline/protocol/task'

/** What the rules know of a card. Its description is in the log, not here. */
export interface TaskState {
  kind: 'task'
  task: string
  project: string
  title: string
  column: TaskColumn
  position: string
  priority: TaskPriority
  labels: readonly string[]
  assignee?: Assignee | undefined
  /** The newest first. */
  sessions: readonly TaskSession[]
  createdAt: string
  removed: boolean
}
