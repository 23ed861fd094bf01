import { z } from 'zod'
import { defineEvent } from '../event.ts'
import { Isolation } from '../place.ts'

const Names = z.array(z.string())

/** Where a session's agent works. */
export const workspaceEvents = {
  /** The agent's place is there. Of the counts, what the place lacks; absent where that makes no sense. */
  'workspace.prepared': defineEvent(
    1,
    z.looseObject({
      isolation: Isolation,
      /** The commit that it begins with. */
      base: z.string().optional(),
      uncommitted: z.int().optional(),
      ignored: z.int().optional(),
      nested: z.int().optional(),
      /** Files that were brought along. */
      brought: z.int().optional(),
    }),
    z.looseObject({
      folder: z.string(),
      /** What it was taken from. */
      from: z.string().optional(),
      branch: z.string().optional(),
      /** The first names. */
      uncommitted: Names.optional(),
      ignored: Names.optional(),
      nested: Names.optional(),
      note: z.string().optional(),
    }),
  ),
  /** The session is over. What holds work that is nowhere else stays. */
  'workspace.released': defineEvent(
    1,
    z.looseObject({
      outcome: z.enum(['removed', 'kept']),
      uncommitted: z.int().optional(),
      /** Commits that no other branch has. */
      commits: z.int().optional(),
    }),
    z.looseObject({ folder: z.string(), branch: z.string().optional(), note: z.string().optional() }),
  ),
}
