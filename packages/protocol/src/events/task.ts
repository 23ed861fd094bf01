import { z } from 'zod'
import { defineEvent } from '../event.ts'
import { Id } from '../ids.ts'
import { Assignee, TaskColumn, TaskPriority, TaskSessionPhase } from '../task.ts'

const LooseAssignee = z.looseObject({ kind: Assignee.shape.kind, id: Id })
const LooseSession = z.looseObject({ session: Id, agent: Id, phase: TaskSessionPhase, changes: z.boolean() })

/** Cards of a board, and the line of each in its project. */
export const taskEvents = {
  'task.created': defineEvent(
    1,
    z.looseObject({
      task: Id,
      project: Id,
      column: TaskColumn,
      /** Absent in what an earlier Hotline wrote, as are the others. */
      position: z.string().optional(),
      priority: TaskPriority.optional(),
      assignee: LooseAssignee.optional(),
    }),
    z.looseObject({ title: z.string(), description: z.string().optional(), labels: z.array(z.string()).optional() }),
  ),
  'task.changed': defineEvent(
    1,
    z.looseObject({ task: Id, priority: TaskPriority.optional(), assignee: LooseAssignee.nullable().optional() }),
    z.looseObject({
      title: z.string().optional(),
      description: z.string().optional(),
      labels: z.array(z.string()).optional(),
    }),
  ),
  'task.moved': defineEvent(
    1,
    z.looseObject({
      task: Id,
      from: TaskColumn,
      to: TaskColumn,
      position: z.string().optional(),
      /** The one whose work moved it; absent where somebody did. */
      session: Id.optional(),
    }),
  ),
  'task.removed': defineEvent(1, z.looseObject({ task: Id })),
  /** How far a session of it is, told where that changes; `at`: the position of the session's stream at which it was so. */
  'task.session_seen': defineEvent(1, LooseSession.extend({ task: Id, at: z.int() })),
  /** The line of one card in the project's stream, written together with what changed it; with `removed` for the last time. */
  'task.indexed': defineEvent(
    1,
    z.looseObject({
      task: Id,
      /** The card's position that this line describes. */
      at: z.int(),
      column: TaskColumn,
      position: z.string(),
      priority: TaskPriority,
      assignee: LooseAssignee.optional(),
      sessions: z.array(LooseSession),
      createdAt: z.string(),
      removed: z.literal(true).optional(),
    }),
    z.looseObject({ title: z.string(), labels: z.array(z.string()) }),
  ),
}
