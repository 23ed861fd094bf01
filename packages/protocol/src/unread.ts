import { z } from 'zod'

/** How much of a session the caller has not read. */
const UnreadRow = z.object({
  session: z.string(),
  /** Messages that were said there in all. */
  messages: z.int(),
  /** Those of them that came after what the caller has read. */
  unread: z.int(),
  /** The last event that they have read; null where they never opened it. */
  seq: z.int().nullable(),
})
export type UnreadRow = z.infer<typeof UnreadRow>

/** `GET /api/unread`: of those sessions that the caller may read; none for whoever is no person. */
export const UnreadPage = z.object({
  sessions: z.array(UnreadRow),
  /** What comes after is in the caller's own stream; null where that is not begun (`account.begin`), or not theirs to follow. */
  cursor: z.string().nullable(),
})
export type UnreadPage = z.infer<typeof UnreadPage>
