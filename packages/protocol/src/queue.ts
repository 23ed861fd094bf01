import { z } from 'zod'
import { TaskPriority } from './task.ts'

/** Sessions that one project has in the queue, as far as they are told at once. */
export const queuePlacesMax = 100

/**
 * For what a session waits: no machine that is connected could begin it, those that could work on as many sessions as they
 * take, or on as many of this agent, or its project has as many at work as it may. `starting`: a machine begins it.
 */
export const QueueReason = z.enum(['no_machine', 'machine_full', 'agent_full', 'project_full', 'starting'])
export type QueueReason = z.infer<typeof QueueReason>

/** Where a session stands that no machine has begun yet. */
export const QueuePlace = z.object({
  session: z.string(),
  project: z.string(),
  agent: z.string(),
  priority: TaskPriority,
  /** Since when it waits. */
  since: z.string(),
  why: QueueReason,
  /** From 1, among those that want the same places; null where no machine could begin it at all. */
  position: z.int().nullable(),
  /** In seconds from when it was told, with the quartiles of what was measured; null where too little was. */
  wait: z.object({ lowS: z.int(), likelyS: z.int(), highS: z.int(), of: z.int() }).nullable(),
})
export type QueuePlace = z.infer<typeof QueuePlace>

/** `GET /api/queue`: those of the projects that one may read, in the order in which they will begin. */
export const QueueAnswer = z.object({ queue: z.array(QueuePlace).readonly() })
