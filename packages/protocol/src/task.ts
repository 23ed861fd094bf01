import { z } from 'zod'
import { Id } from './ids.ts'

/** Columns of the board, from left to right. */
export const taskColumns = ['backlog', 'todo', 'in_progress', 'review', 'done', 'cancelled'] as const
export const TaskColumn = z.enum(taskColumns)
export type TaskColumn = z.infer<typeof TaskColumn>

/** How soon somebody wants it, the least first. */
export const taskPriorities = ['low', 'normal', 'high', 'urgent'] as const
export const TaskPriority = z.enum(taskPriorities)
export type TaskPriority = z.infer<typeof TaskPriority>

/** A word or two by which people find cards again. */
const TaskLabel = z
  .string()
  .min(1)
  .max(40)
  .regex(/^[^\u0000-\u001f\u007f]*$/, 'must be one line')

/** The labels of one card, each once. */
export const TaskLabels = z
  .array(TaskLabel)
  .max(20)
  .refine((labels) => new Set(labels).size === labels.length, 'must not hold a label twice')

/** Who shall do it: a member of the project, or an agent by the name of its profile. */
export const Assignee = z.strictObject({ kind: z.enum(['person', 'agent']), id: Id })
export type Assignee = z.infer<typeof Assignee>

/**
 * How far a session of a card is: it waits for a machine, its agent is at work (also while it waits for a person in the middle of
 * that, is paused or gone and can be taken up again), it has finished its turn, or it is over.
 */
export const TaskSessionPhase = z.enum(['queued', 'at_work', 'at_rest', 'completed', 'failed', 'aborted'])
export type TaskSessionPhase = z.infer<typeof TaskSessionPhase>

/** A session as its card knows it. */
export const TaskSession = z.object({
  session: Id,
  agent: Id,
  phase: TaskSessionPhase,
  /** Its agent has changed files that nobody has kept or discarded yet. */
  changes: z.boolean(),
})
export type TaskSession = z.infer<typeof TaskSession>

/** A card in a list: `GET /api/tasks`. The same facts as `task.indexed`. */
export const TaskRow = z.object({
  task: z.string(),
  project: z.string(),
  title: z.string(),
  column: TaskColumn,
  /** Its place in the column: text that is compared byte by byte. Of cards with the same one, the id decides. */
  position: z.string(),
  priority: TaskPriority,
  labels: z.array(z.string()).readonly(),
  assignee: Assignee.nullable(),
  /** The newest first, fifty at most. */
  sessions: z.array(TaskSession).readonly(),
  createdAt: z.string(),
  updatedAt: z.string(),
})
export type TaskRow = z.infer<typeof TaskRow>

/** `GET /api/tasks?project=…` */
export const TaskPage = z.object({
  tasks: z.array(TaskRow),
  /** `after` of the next page; null at the end. */
  next: z.string().nullable(),
  /** A cursor of the project's stream, from which following keeps the rows true. */
  cursor: z.string(),
})
export type TaskPage = z.infer<typeof TaskPage>

/** `GET /api/tasks/:id`: the card with its description, at a cursor of its stream. */
export const TaskDetail = z.object({
  stream: z.string(),
  cursor: z.string(),
  task: TaskRow,
  /** Markdown; null where there is none, or where it was erased. */
  description: z.string().nullable(),
})
export type TaskDetail = z.infer<typeof TaskDetail>
