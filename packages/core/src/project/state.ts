import type { Role } from '@hotline/protocol/actor'
import type { TaskColumn } from '@hotline/protocol/events/project'

/** What the rules know of a project. The lines of its sessions are in the log and in the lists, not here. */
export interface ProjectState {
  kind: 'project'
  project: string
  name: string
  members: Readonly<Record<string, Role>>
}

/** A card. */
export interface TaskState {
  kind: 'task'
  task: string
  project: string
  title: string
  column: TaskColumn
  removed: boolean
}
