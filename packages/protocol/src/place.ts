import { z } from 'zod'

/** Where an agent works: in a worktree of its own, in a copy of the folder, or in the folder itself. */
export const Isolation = z.enum(['worktree', 'copy', 'in_place'])
export type Isolation = z.infer<typeof Isolation>

/** What a worktree lacks and can be given: changes that were not committed, files that git ignores. */
export const Bring = z.enum(['uncommitted', 'ignored'])
export type Bring = z.infer<typeof Bring>

/** How many, and the first of them by name. A folder that is meant as a whole ends with `/` and counts as one. */
export const NamedCount = z.looseObject({ count: z.int(), names: z.array(z.string()) })
export type NamedCount = z.infer<typeof NamedCount>

/** What a machine says of a folder before anything is started in it. */
export const FolderView = z.looseObject({
  folder: z.string(),
  /** How a session works there where nobody chooses. */
  standard: Isolation,
  possible: z.array(Isolation),
  /** Why there can be no worktree, in a sentence for people. */
  whyNot: z.string().optional(),
  /** Absent where the folder is in none. */
  repository: z
    .looseObject({ root: z.string(), branch: z.string().optional(), commit: z.string().optional() })
    .optional(),
  /** What a worktree would lack. */
  uncommitted: NamedCount.optional(),
  ignored: NamedCount.optional(),
  /** Repositories in it, and submodules: they are in no worktree. */
  nested: NamedCount.optional(),
  /** What of the ignored is brought along, because `.worktreeinclude` names it. */
  included: NamedCount.optional(),
  /** Sessions that work in this very folder now, by their titles. */
  others: z.array(z.string()),
  /** What is run in a worktree or a copy before the agent starts. */
  setup: z.string().optional(),
})
export type FolderView = z.infer<typeof FolderView>

/** `PUT /api/runner/folder`: the answer of a machine that was asked. */
export const FolderAnswer = z.strictObject({
  ask: z.string().max(100),
  view: FolderView.optional(),
  /** Why there is no view. */
  why: z.string().max(2_000).optional(),
})
export type FolderAnswer = z.infer<typeof FolderAnswer>

/** Answer to `PUT /api/runner/folder`: whether anybody still waited for it. */
export const FolderTaken = z.object({ taken: z.boolean() })
