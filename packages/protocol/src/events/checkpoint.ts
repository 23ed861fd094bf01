import { z } from 'zod'
import { defineEvent } from '../event.ts'
import { Id } from '../ids.ts'
import { Digest } from './approval.ts'
import { FileChange } from './turn.ts'

/** When a snapshot of the files was taken. */
export const Moment = z.enum(['start', 'turn_started', 'step_finished', 'turn_ended', 'ended', 'undo', 'undone'])
export type Moment = z.infer<typeof Moment>

/** Why there is no snapshot: what was too much of it, or what was not there. */
export const WhySkipped = z.enum(['files', 'bytes', 'time', 'no_git', 'folder', 'failed'])
export type WhySkipped = z.infer<typeof WhySkipped>

/** Where to go back to; without members: to the start of the session. Before a step, or before a turn. */
export const UndoTarget = z.looseObject({ checkpoint: Id.optional(), step: Id.optional(), turn: Id.optional() })
export type UndoTarget = z.infer<typeof UndoTarget>

/** What an undo would do to a file: put back what was changed or removed, remove what came new. */
export const UndoChange = z.enum(['restore', 'bring_back', 'remove'])

/** Why somebody has to choose a file by its name before an undo takes it. */
export const WhyAsk = z.enum(['changed_since', 'mixed', 'unsure'])
export type WhyAsk = z.infer<typeof WhyAsk>

/** One file of the preview of an undo. */
export const PlannedFile = z.looseObject({
  path: z.string(),
  change: UndoChange,
  /** Absent: the agent alone wrote what is there now. */
  ask: WhyAsk.optional(),
})
export type PlannedFile = z.infer<typeof PlannedFile>

/** What became of one file. */
export const RestoredFile = z.looseObject({
  path: z.string(),
  outcome: z.enum(['restored', 'kept']),
  /** Why it was kept as it is. */
  why: z.string().optional(),
})
export type RestoredFile = z.infer<typeof RestoredFile>

/** Something that no snapshot holds, and why. */
export const LeftOut = z.looseObject({ path: z.string(), why: z.string() })
export type LeftOut = z.infer<typeof LeftOut>

/** Snapshots of the files that an agent works on, and going back to them. */
export const checkpointEvents = {
  /** The files were others than at the last snapshot. Where nothing changed, nothing is said. */
  'checkpoint.created': defineEvent(
    1,
    z.looseObject({
      checkpoint: Id,
      moment: Moment,
      turn: Id.optional(),
      step: Id.optional(),
      /** Files that it holds, and those that changed since the one before it. */
      files: z.int(),
      changed: z.int(),
    }),
    z.looseObject({ changed: z.array(z.string()).optional(), leftOut: z.array(LeftOut).optional() }),
  ),
  'checkpoint.skipped': defineEvent(
    1,
    z.looseObject({ moment: Moment, why: WhySkipped }),
    z.looseObject({ note: z.string() }),
  ),
  /** A person wants to know what going back would do. */
  'undo.requested': defineEvent(1, z.looseObject({ undo: Id, to: UndoTarget })),
  /** What it would do; the digest is that of the very bytes that would be written and replaced. */
  'undo.planned': defineEvent(
    1,
    z.looseObject({ undo: Id, digest: Digest, files: z.int(), asks: z.int() }),
    z.looseObject({
      files: z.array(PlannedFile),
      /** Of the first files, as far as there is room: `oldText` is what is there now. */
      changes: z.array(FileChange).optional(),
      /** What stays as it is whatever is chosen. */
      cannot: z.array(z.string()).optional(),
      leftOut: z.array(LeftOut).optional(),
    }),
  ),
  /** It cannot be done, or not any more as it was shown. */
  'undo.refused': defineEvent(1, z.looseObject({ undo: Id }), z.looseObject({ reason: z.string() })),
  /** A person wants it done as it was shown. `also`: files that were asked about; `except`: files that stay as they are. */
  'undo.approved': defineEvent(
    1,
    z.looseObject({ undo: Id, digest: Digest }),
    z.looseObject({ also: z.array(z.string()).optional(), except: z.array(z.string()).optional() }),
  ),
  'undo.dropped': defineEvent(1, z.looseObject({ undo: Id })),
  /** It was done. `before`: the snapshot of how it was, to go back to; absent where there was nothing to do. */
  'checkpoint.restored': defineEvent(
    1,
    z.looseObject({ undo: Id, before: Id.optional(), restored: z.int(), kept: z.int() }),
    z.looseObject({ files: z.array(RestoredFile) }),
  ),
}
