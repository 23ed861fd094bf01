import { z } from 'zod'
import { Id } from '../ids.ts'

/** What a person settles for themselves alone, sent to their own stream (`account:<id>`). */
export const accountCommands = {
  /** Begins the stream, so that it can be followed before anything is in it. */
  'account.begin': z.strictObject({}),
  /** Puts an open approval or question aside for the sender until then, RFC 3339, UTC. It is answered by nothing of this. */
  'ask.snooze': z.strictObject({ session: Id, ask: Id, until: z.iso.datetime() }),
  /** Back before its time. */
  'ask.unsnooze': z.strictObject({ session: Id, ask: Id }),
  /** The sender has read a session up to this event. */
  'read.mark': z.strictObject({ session: Id, seq: z.int().min(1) }),
}
