import { z } from 'zod'
import { defineEvent } from '../event.ts'
import { Id } from '../ids.ts'
import { Digest } from './approval.ts'
import { WhyAsk } from './checkpoint.ts'
import { FileChange } from './turn.ts'

/** One file that the agent changed, for a person who keeps or discards it. */
export const DraftFile = z.looseObject({
  path: z.string(),
  change: z.enum(['added', 'changed', 'removed']),
  /** Of what it was and what it is. */
  digest: Digest,
  /** Lines that came and went; absent where nobody counted, as of what is no text. */
  added: z.int().optional(),
  removed: z.int().optional(),
  /** Why keeping it is a decision of its own, in words for people: it says what others run, or who may do what. */
  guarded: z.string().optional(),
  /** Somebody else may have changed it too: discarding it would take that along. */
  ask: WhyAsk.optional(),
})
export type DraftFile = z.infer<typeof DraftFile>

/** How a branch would merge into another one; conflicts by the names of files. */
export const WouldMerge = z.looseObject({ into: z.string(), conflicts: z.array(z.string()) })
export type WouldMerge = z.infer<typeof WouldMerge>

/** Where a branch was merged, and as which commit; that of the branch itself where nothing else was there. */
export const WasMerged = z.looseObject({ into: z.string(), commit: z.string() })
export type WasMerged = z.infer<typeof WasMerged>

/** What became of one file. */
export const ReviewedFile = z.looseObject({
  path: z.string(),
  outcome: z.enum(['kept', 'discarded', 'open']),
  why: z.string().optional(),
})
export type ReviewedFile = z.infer<typeof ReviewedFile>

/** What an agent changed in files, reviewed file by file. */
export const draftEvents = {
  /** A person wants to see the changes that nobody has looked at. */
  'draft.requested': defineEvent(1, z.looseObject({ draft: Id })),
  /**
   * These; the digest is that of all the bytes that are spoken of. Where nobody asked for it, it takes the place of what was
   * shown before.
   */
  'draft.ready': defineEvent(
    1,
    z.looseObject({
      draft: Id,
      digest: Digest,
      files: z.int(),
      guarded: z.int(),
      /** Lines that came and went in all of them; absent where nobody counted them all. */
      added: z.int().optional(),
      removed: z.int().optional(),
      /** It was made because this turn ended and had changed files. */
      turn: Id.optional(),
      /** The agent has asked for it, in the middle of its work, and waits for what people say. */
      waits: z.boolean().optional(),
      /** Files that are others than at the start because of the agent, reviewed or not. */
      changed: z.int().optional(),
    }),
    z.looseObject({
      files: z.array(DraftFile),
      /** Of the first files, as far as there is room. */
      changes: z.array(FileChange).optional(),
      /** Where there is one, what is kept can be committed on this branch. */
      branch: z.string().optional(),
      /** Those of its repository that it could be merged into, the one that is checked out first; not all where they are many. */
      branches: z.array(z.string()).optional(),
      /** What the agent says of it, where it has asked. */
      note: z.string().optional(),
    }),
  ),
  /** There are none to see, or not any more as they were shown. */
  'draft.refused': defineEvent(
    1,
    z.looseObject({ draft: Id, changed: z.int().optional() }),
    z.looseObject({ reason: z.string() }),
  ),
  /** A person has decided, about exactly what was shown. What is named in neither list stays open. */
  'draft.reviewed': defineEvent(
    1,
    z.looseObject({ draft: Id, digest: Digest, keep: z.int(), discard: z.int() }),
    z.looseObject({
      keep: z.array(z.string()),
      discard: z.array(z.string()),
      /** Of those to keep, the guarded ones that were decided on by their names. */
      guarded: z.array(z.string()).optional(),
      /** Told to the agent. */
      reason: z.string().optional(),
      /** What is kept is to be committed, with this message. */
      commit: z.string().optional(),
      /** The branch that it is merged into then. */
      into: z.string().optional(),
    }),
  ),
  'draft.dropped': defineEvent(1, z.looseObject({ draft: Id })),
  /** It was done. `before`: the snapshot of how it was, to go back to. */
  'draft.resolved': defineEvent(
    1,
    z.looseObject({
      draft: Id,
      kept: z.int(),
      discarded: z.int(),
      open: z.int(),
      before: Id.optional(),
      changed: z.int().optional(),
      /** The agent has waited for it, and heard it with the answer. */
      heard: z.boolean().optional(),
      /** The commit in which is what was kept. */
      commit: z.string().optional(),
    }),
    z.looseObject({
      files: z.array(ReviewedFile),
      reason: z.string().optional(),
      /** Of the commit. */
      branch: z.string().optional(),
      /**
       * How the branch would merge into the one that was chosen, or into the one that is checked out in the repository; nothing
       * was merged.
       */
      merge: WouldMerge.optional(),
      /** It was. */
      merged: WasMerged.optional(),
      /** Why it was not merged into the branch that was chosen. */
      unmerged: z.string().optional(),
      /** Why not everything that was kept, or nothing of it, was committed. */
      uncommitted: z.string().optional(),
    }),
  ),
}
