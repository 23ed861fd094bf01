import { z } from 'zod'
import { Actor } from './actor.ts'
import { Digest } from './events/approval.ts'
import { FolderPath } from './folder-path.ts'
import { Id } from './ids.ts'

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
  /** Files of it that the agent reads as its settings; before it starts with them somebody has to trust them. */
  settings: NamedCount.optional(),
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

/** `POST /api/runner/trust`: whether a session may start with the settings of its folder. */
export const TrustQuestion = z.strictObject({ session: Id, folder: FolderPath, digest: Digest })
export type TrustQuestion = z.infer<typeof TrustQuestion>
/** The answer: an allowance of a person in this session, or one for the project that stands. */
export const TrustAnswer = z.object({ trusted: z.boolean() })
export type TrustAnswer = z.infer<typeof TrustAnswer>

/** `GET /api/projects/:id/trusted`: settings of folders that start agents without a question, newest last. */
export const TrustedFolders = z.object({
  trusted: z.array(
    z.object({
      runner: z.string(),
      folder: z.string(),
      digest: z.string(),
      by: Actor,
      at: z.string(),
      session: z.string(),
    }),
  ),
})
export type TrustedFolders = z.infer<typeof TrustedFolders>

/** Answer to `PUT /api/runner/folder`: whether anybody still waited for it. */
export const FolderTaken = z.object({ taken: z.boolean() })
