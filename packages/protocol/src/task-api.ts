import { z } from 'zod'
import { Digest } from './events/approval.ts'
import { FolderPath } from './folder-path.ts'
import { Id } from './ids.ts'

/**
 * Bodies and answers of the Task API (`/api/agent`): a task is handed in, watched, answered for, undone and ended by programs.
 * A `taskId` is a session, or a card, which means the newest session of it; a `conversationId` is a card.
 */

/** How a task stands; the table is in `docs/task-api.md`. */
export const TaskStatus = z.enum([
  'pending',
  'running',
  'waiting_approval',
  'idle',
  'paused',
  'interrupted',
  'completed',
  'failed',
  'cancelled',
])
export type TaskStatus = z.infer<typeof TaskStatus>

/** What a task may say of where it is done. Further members go to the agent's log as they are. */
const TaskContext = z.looseObject({
  project: Id.optional(),
  /** The name of an agent's profile. */
  agent: Id.optional(),
  /** The id of a machine (`runnerId` in the list of agents). */
  machine: Id.optional(),
  folder: FolderPath.optional(),
  title: z.string().min(1).max(200).optional(),
})

/** `POST /api/agent` */
export const SubmitTaskBody = z.strictObject({
  task: z.string().min(1),
  /** 0 low, 1 normal, 2 high, 3 urgent. */
  priority: z.int().min(0).max(3).default(1),
  /** A task that there is: this goes on in its conversation. */
  conversationId: Id.optional(),
  context: TaskContext.optional(),
})
export type SubmitTaskBody = z.infer<typeof SubmitTaskBody>

/** `POST /api/agent/:taskId/approve` */
export const ApproveTaskBody = z.strictObject({
  approvalId: Id,
  approved: z.boolean(),
  message: z.string().max(2_000).optional(),
  /** Members that replace those of the input that was asked; all others stay. */
  modifiedParameters: z.record(z.string().max(200), z.unknown()).optional(),
  /** Of what was shown; where it is given, it has to be that of what was asked. */
  digest: Digest.optional(),
})
export type ApproveTaskBody = z.infer<typeof ApproveTaskBody>

/** `POST /api/agent/:taskId/undo` */
export const UndoTaskBody = z.strictObject({
  /** Back to before this step; absent: to the start. */
  stepId: Id.optional(),
})

/** A task as the Task API shows it. */
export const ApiTask = z.object({
  id: z.string(),
  /** Null for a session that belongs to no card. */
  conversationId: z.string().nullable(),
  title: z.string(),
  status: TaskStatus,
  agent: z.string(),
  project: z.string(),
  createdAt: z.string(),
  updatedAt: z.string(),
})
export type ApiTask = z.infer<typeof ApiTask>

/** An event of a task in one line. */
export const TaskLog = z.object({ id: z.string(), timestamp: z.string(), type: z.string(), message: z.string() })
export type TaskLog = z.infer<typeof TaskLog>

/** A step that an agent is at. */
export const TaskStep = z.object({ id: z.string(), title: z.string(), kind: z.string(), startedAt: z.string() })
export type TaskStep = z.infer<typeof TaskStep>

/** Something that waits for an answer. */
export const TaskApproval = z.object({
  approvalId: z.string(),
  tool: z.string(),
  title: z.string(),
  input: z.string().nullable(),
  digest: z.string(),
  expiresAt: z.string(),
})
export type TaskApproval = z.infer<typeof TaskApproval>

const answered = <D extends z.ZodType>(data: D) => z.object({ success: z.literal(true), data })

/** `POST /api/agent` */
export const SubmitTaskAnswer = answered(
  z.object({ taskId: z.string(), conversationId: z.string(), status: TaskStatus }),
)

/** `GET /api/agent/:taskId` */
export const TaskAnswer = answered(
  z.object({
    task: ApiTask.extend({
      /** What was asked for; null where it was erased. */
      task: z.string().nullable(),
      /** What the agent said last; null where it said nothing yet. */
      result: z.string().nullable(),
      /** Why it came to no good end, where it did not. */
      error: z.string().nullable(),
    }),
    logs: z.array(TaskLog),
    approvals: z.array(TaskApproval),
    /** Absent while the agent is at no step. */
    currentExecution: z.object({ step: TaskStep, progress: z.number(), status: z.string() }).optional(),
  }),
)
export type TaskAnswer = z.infer<typeof TaskAnswer>

/** `POST /api/agent/:taskId/approve` */
export const ApproveTaskAnswer = answered(
  z.object({ taskId: z.string(), approvalId: z.string(), outcome: z.enum(['allowed', 'allowed_modified', 'denied']) }),
)

/** `POST /api/agent/:taskId/undo` */
export const UndoTaskAnswer = answered(
  z.object({
    taskId: z.string(),
    /** `pending`: its machine has not done it yet; ask again how the task stands. */
    status: z.enum(['undone', 'pending']),
    files: z.array(z.object({ path: z.string(), outcome: z.enum(['restored', 'kept']), why: z.string().optional() })),
  }),
)

/** `GET /api/agent/history` */
export const TaskHistoryAnswer = answered(
  z.object({ tasks: z.array(ApiTask), total: z.int(), limit: z.int(), offset: z.int() }),
)

/** `DELETE /api/agent/:taskId` */
export const CancelTaskAnswer = answered(z.object({ taskId: z.string(), status: TaskStatus }))
