import { z } from 'zod'
import { Actor } from '../actor.ts'
import { Attachment } from '../attachment.ts'
import { defineEvent } from '../event.ts'
import { Id } from '../ids.ts'
import { signs } from '../sign.ts'

const Text = z.looseObject({ text: z.string() })
/** Files that belong to a message. */
const attachments = z.array(Attachment).optional()
/** The beginning of a message, and whose it was. */
const Quote = z.looseObject({ role: z.enum(['person', 'agent', 'system']), by: Actor, text: z.string() })
export type Quote = z.infer<typeof Quote>

const OfMessage = z.looseObject({ message: Id })

/** Messages of people and agents: whole, in pieces, waiting, delivered, seen. */
export const messageEvents = {
  /** A whole message. A person's message to an agent starts its life as queued. */
  'message.posted': defineEvent(
    1,
    z.looseObject({
      message: Id,
      role: z.enum(['person', 'agent', 'system']),
      chars: z.int(),
      replyTo: Id.optional(),
      /** True where it waits for the agent. */
      queued: z.boolean(),
    }),
    z.looseObject({
      text: z.string(),
      metadata: z.looseObject({}).optional(),
      /** How the message began that this one replies to, as it was said then. */
      quote: Quote.optional(),
      attachments,
    }),
  ),
  /** A piece of a message that the agent is writing, already coalesced. */
  'message.delta': defineEvent(1, OfMessage, Text),
  /** The whole text of a message that came in pieces; from here on the pieces may be erased. */
  'message.completed': defineEvent(1, z.looseObject({ message: Id, chars: z.int() }), Text.extend({ attachments })),
  'message.edited': defineEvent(1, z.looseObject({ message: Id, chars: z.int() }), Text),
  /** The waiting messages in their new order. */
  'message.reordered': defineEvent(1, z.looseObject({ order: z.array(Id) })),
  /**
   * It shall not wait for the end of the turn: it goes before all others, but those that were hurried before it, and into the
   * turn that runs. Where that has ended meanwhile, it begins the next one.
   */
  'message.hurried': defineEvent(1, OfMessage),
  /** Nobody will give it to the agent: its author took it back, or the session ended before the agent could take it. */
  'message.withdrawn': defineEvent(1, OfMessage.extend({ reason: z.literal('session_ended').optional() })),
  /**
   * The agent has it: it was handed over at the start of a turn or in the middle of one. `edits` says which text it got,
   * by how often that had been changed; absent: as it was posted.
   */
  'message.delivered': defineEvent(
    1,
    z.looseObject({ message: Id, turn: Id.optional(), edits: z.int().min(0).optional() }),
  ),
  /** The agent has answered to it. */
  'message.seen': defineEvent(1, OfMessage),
  /** It was on its way when something died; nobody can say whether the agent had it. Never sent again by itself. */
  'message.delivery_unknown': defineEvent(1, OfMessage),
  /** Nothing more comes of a message that came in pieces: whoever wrote it is gone. The pieces are all there is of it. */
  'message.broken_off': defineEvent(1, OfMessage),
  /** Whoever did it has put a sign under a message, or taken it away. One of each kind of one actor counts once. */
  'message.reacted': defineEvent(1, OfMessage.extend({ sign: z.enum(signs), on: z.boolean() })),
  'thought.delta': defineEvent(1, z.looseObject({ thought: Id }), Text),
  'thought.completed': defineEvent(1, z.looseObject({ thought: Id }), Text),
  'thought.broken_off': defineEvent(1, z.looseObject({ thought: Id })),
}
