import { z } from 'zod'
import { NamedAttachment } from '../attachment.ts'
import { Id } from '../ids.ts'
import { limits } from '../limits.ts'
import { signs } from '../sign.ts'

/** The outer bound of any message; the session's own limits are checked by its rules. */
const MessageText = z.string().max(100_000)

/** What people write, and what they do with what still waits. */
export const messageCommands = {
  /** The id of the command becomes the id of the message. */
  'message.send': z.strictObject({
    text: MessageText,
    /** A message of this session. How it began goes with this one, to people and to the agent. */
    replyTo: Id.optional(),
    /** Before all that waits, and into the turn that runs; refused where the agent takes none in the middle of one. */
    now: z.literal(true).optional(),
    /** Files that the sender has uploaded to this session; a message with one may have no text. */
    attachments: z.array(NamedAttachment).min(1).max(limits.messageAttachments).optional(),
    metadata: z.record(z.string().max(100), z.unknown()).optional(),
  }),
  'message.edit': z.strictObject({ message: Id, text: MessageText }),
  'message.withdraw': z.strictObject({ message: Id }),
  /** A waiting one shall not wait for the end of the turn: the same as `now`. */
  'message.hurry': z.strictObject({ message: Id }),
  /** A sign of one's own under a message, or no longer there (`on` false). */
  'message.react': z.strictObject({ message: Id, sign: z.enum(signs), on: z.boolean() }),
  /** All waiting messages in the wanted order. */
  'message.reorder': z.strictObject({ order: z.array(Id).max(100) }),
}
