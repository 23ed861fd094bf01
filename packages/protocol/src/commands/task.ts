import { z } from 'zod'
import { Id } from '../ids.ts'
import { Assignee, TaskColumn, TaskLabels, TaskPriority, TaskSession } from '../task.ts'
import { Title } from './session.ts'

/** Markdown. */
const Description = z.string().max(50_000)

/** Cards of a board. */
export const taskCommands = {
  /** Creates the task stream it is sent to; the card comes last in its column. */
  'task.create': z.strictObject({
    project: Id,
    title: Title,
    description: Description.optional(),
    column: TaskColumn.default('todo'),
    priority: TaskPriority.default('normal'),
    labels: TaskLabels.default([]),
    assignee: Assignee.optional(),
  }),
  /** What is not named stays as it is; null as assignee: nobody. */
  'task.change': z.strictObject({
    title: Title.optional(),
    description: Description.optional(),
    priority: TaskPriority.optional(),
    labels: TaskLabels.optional(),
    assignee: Assignee.nullable().optional(),
  }),
  /** `after`: the card of that column after which it stands; null: it comes first; absent: last, or where it is if it is there already. */
  'task.move': z.strictObject({ to: TaskColumn, after: Id.nullable().optional() }),
  'task.remove': z.strictObject({}),
  /** The server tells a card how far a session of it is; `at`: the position of the session's stream at which it was so. */
  'task.observe': TaskSession.extend({ at: z.int().min(1) }).strict(),
}
