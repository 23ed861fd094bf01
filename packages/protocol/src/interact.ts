import { z } from 'zod'
import { Interaction } from './interactions.ts'

/** What is said to `/api/projects/:id/tasks/:taskId/interact`, by its `type`. */
export const InteractInput = z.discriminatedUnion('type', [
  /** First, where the upgrade carried no credential. */
  z.strictObject({
    type: z.literal('auth'),
    token: z.string().max(1_000).optional(),
    ticket: z.string().max(200).optional(),
  }),
  z.strictObject({
    type: z.literal('user_message'),
    content: z.string().max(100_000),
    metadata: z.record(z.string().max(100), z.unknown()).optional(),
    /** A UUID of the sender's own: sent again with it, the message is there once. It becomes the id of the message. */
    id: z.uuid().optional(),
  }),
])
export type InteractInput = z.infer<typeof InteractInput>

const timestamp = z.string()
const Said = {
  /** Of the message. */
  id: z.string(),
  session_id: z.string(),
  user_id: z.string().nullable(),
  content: z.string(),
  metadata: z.record(z.string(), z.unknown()),
  timestamp,
}

/** What it says: first the history, then everything that is said in any session of the task. Times are RFC 3339, UTC. */
export const InteractMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('history'),
    messages: z.array(Interaction),
    /** What is older is read at `GET …/interactions`. */
    truncated: z.boolean(),
    timestamp,
  }),
  /** Told to everybody, to its sender as well. `edited`: one that was there already has other words now. */
  z.object({ type: z.literal('user_message'), ...Said, edited: z.literal(true).optional() }),
  z.object({ type: z.literal('agent_response'), ...Said }),
  /** What the server says. A message that was withdrawn before its agent had it is named in `metadata.withdrawn`. */
  z.object({ type: z.literal('system_notification'), ...Said }),
  /** The agent has begun to think. */
  z.object({ type: z.literal('status_update'), session_id: z.string(), status: z.literal('thinking'), timestamp }),
  z.object({
    type: z.literal('error'),
    /** What to do, in words. */
    content: z.string(),
    /** As in the errors of the HTTP API. */
    code: z.string(),
    /** Of the message that was not taken. */
    id: z.string().optional(),
    timestamp,
  }),
])
export type InteractMessage = z.infer<typeof InteractMessage>
