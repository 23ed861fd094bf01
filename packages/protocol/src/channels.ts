import { z } from 'zod'

/** A way out to people who are not here, as it stands. */
export const ChannelRow = z.object({
  /** Its kind and its name: `webhook:ops`. */
  channel: z.string(),
  /** Where it leads, without what may be secret in it. */
  target: z.string(),
  /** Absent: all. */
  projects: z.array(z.string()).optional(),
  /** `open`: it failed again and again, and is left alone until `retryAt`; `half_open`: one delivery tries it. */
  circuit: z.enum(['closed', 'open', 'half_open']),
  /** Failures since it worked last. */
  failures: z.int(),
  retryAt: z.string().nullable(),
  /** Why the last delivery that failed did. */
  lastError: z.string().nullable(),
  /** Requests that it has to show or take back, that it shows, and that it does not take. */
  waiting: z.int(),
  shown: z.int(),
  refused: z.int(),
})
export type ChannelRow = z.infer<typeof ChannelRow>

/** `GET /api/channels`, for admins of the server. */
export const ChannelPage = z.object({ channels: z.array(ChannelRow) })
