import { z } from 'zod'

/** What somebody or something said in the conversation of a task. */
export const Interaction = z.object({
  /** Of the message; unique in its session. */
  id: z.string(),
  task_id: z.string(),
  session_id: z.string(),
  /** The account of a person or the id of a service who wrote it; null for what an agent or the server said. */
  user_id: z.string().nullable(),
  message_type: z.enum(['user_message', 'agent_response', 'system_notification']),
  content: z.string(),
  metadata: z.record(z.string(), z.unknown()),
  /** RFC 3339, UTC. */
  created_at: z.string(),
})
export type Interaction = z.infer<typeof Interaction>

/** `GET /api/projects/:id/tasks/:taskId/interactions`: the conversation of a task, the oldest first. */
export const InteractionPage = z.object({
  interactions: z.array(Interaction),
  /** `after` of the next page. A page may hold fewer than `limit`, or none, where much else happened; null at the end. */
  next: z.string().nullable(),
})
export type InteractionPage = z.infer<typeof InteractionPage>
