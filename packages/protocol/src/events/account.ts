import { z } from 'zod'
import { defineEvent } from '../event.ts'
import { Id } from '../ids.ts'

/** What a person has settled for themselves alone. */
export const accountEvents = {
  'account.begun': defineEvent(1, z.looseObject({ account: Id })),
  /** `until`: when it comes back by itself, which may be earlier than was wanted: before the time of the ask is over. */
  'ask.snoozed': defineEvent(1, z.looseObject({ project: Id, session: Id, ask: Id, until: z.string() })),
  'ask.unsnoozed': defineEvent(1, z.looseObject({ session: Id, ask: Id })),
  /** A session was read up to this event of it; `messages`: how many had been said there by then; `createdAt`: when it began. */
  'read.marked': defineEvent(
    1,
    z.looseObject({ project: Id, session: Id, seq: z.int(), messages: z.int(), createdAt: z.string().optional() }),
  ),
}
