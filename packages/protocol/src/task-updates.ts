import { z } from 'zod'
import { Problem } from './problem.ts'
import { TaskApproval, TaskStatus, TaskStep } from './task-api.ts'

/** What `/api/agent/:taskId/updates` tells, by its `type`. */
export const taskUpdateTypes = [
  'status_change',
  'step_start',
  'step_progress',
  'step_complete',
  'error',
  'approval_request',
  'completed',
  'cancelled',
  'queue_update',
] as const

/** One message of `/api/agent/:taskId/updates`. */
export const TaskUpdate = z.object({
  type: z.enum(taskUpdateTypes),
  data: z.object({
    /** Of the session, also where a card was named. */
    taskId: z.string(),
    /** With `status_change`. */
    status: TaskStatus.optional(),
    step: TaskStep.optional(),
    /** Per cent. */
    progress: z.number().optional(),
    /** How a step ended, or what was wrong, in words. */
    message: z.string().optional(),
    approvalRequest: TaskApproval.optional(),
    /** What the agent said last; null where it said nothing. */
    result: z.string().nullable().optional(),
    /** From 1. */
    queuePosition: z.int().optional(),
    /** Seconds, where enough was measured to say so. */
    estimatedWaitTime: z.int().optional(),
    /** Of the connection; such an error has an empty id. */
    problem: Problem.optional(),
  }),
  /** Milliseconds since 1970. */
  timestamp: z.number(),
  /** Named in `since`, it is where another connection goes on. */
  id: z.string(),
})
export type TaskUpdate = z.infer<typeof TaskUpdate>
