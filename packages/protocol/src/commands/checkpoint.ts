import { z } from 'zod'
import { Digest } from '../events/approval.ts'
import { FilePaths } from '../file-path.ts'
import { Id } from '../ids.ts'

/** Taking back what an agent did to files: first what would happen, then, with the digest of that, the deed. */
export const checkpointCommands = {
  /** Without a place it goes to the start of the session; with `step` or `turn` to what was before it. */
  'undo.plan': z
    .strictObject({ checkpoint: Id.optional(), step: Id.optional(), turn: Id.optional() })
    .refine(
      ({ checkpoint, step, turn }) => [checkpoint, step, turn].filter((one) => one !== undefined).length < 2,
      'takes one of checkpoint, step and turn',
    ),
  /** `also` names files that are not taken unless they are chosen; `except` files that shall stay as they are. */
  'undo.apply': z.strictObject({ undo: Id, digest: Digest, also: FilePaths.optional(), except: FilePaths.optional() }),
  'undo.drop': z.strictObject({ undo: Id }),
}
