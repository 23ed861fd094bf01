import { z } from 'zod'
import { BranchName } from '../branch-name.ts'
import { Digest } from '../events/approval.ts'
import { FilePaths } from '../file-path.ts'
import { Id } from '../ids.ts'

/** Reviewing what an agent changed: first what there is, then, with the digest of that, what is kept and what is not. */
export const draftCommands = {
  'draft.make': z.strictObject({}),
  /** `guarded` names those of `keep` that take a decision of their own. */
  'draft.review': z
    .strictObject({
      draft: Id,
      digest: Digest,
      keep: FilePaths.optional(),
      discard: FilePaths.optional(),
      guarded: FilePaths.optional(),
      reason: z.string().max(2_000).optional(),
      /**
       * What is kept is committed on the branch of the session's worktree, with this message; `into`: the branch of its
       * repository that this one is merged into then.
       */
      commit: z.strictObject({ message: z.string().trim().min(1).max(2_000), into: BranchName.optional() }).optional(),
    })
    .refine(({ keep = [], discard = [] }) => keep.length + discard.length > 0, 'names no file')
    .refine(({ keep = [], discard = [] }) => !keep.some((path) => discard.includes(path)), 'keeps and discards a file'),
}
